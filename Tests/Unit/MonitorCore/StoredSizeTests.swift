import CAllocator
import Foundations
import Testing

@testable import MonitorCore

/// Compares the size that the store counts for a step with the size of its allocations and with the bound in SCHEMA.md.
@Suite struct StoredSizeTests {
    /// Payloads that store much relative to their length. The step number gives each step its own structure.
    private static let kinds: [@Sendable (Int) -> String] = [
        { payload($0) },
        { payload($0, layers: Array(repeating: layer(), count: 300)) },
        { payload($0, layers: Array(repeating: layer(id: String(repeating: "a", count: 1024)), count: 50)) },
        { payload($0, layers: Array(repeating: layer(shape: Array(repeating: "1e18", count: 32)), count: 100)) },
        { payload($0, ratios: (0..<5000).map { #""\#(String($0, radix: 36))":0"# }) },
        { payload($0, ratios: (33..<92).filter { $0 != 34 }.map { #""\#(Unicode.Scalar(UInt8($0)))":0"# }) },
        { payload($0, groups: [#""g":["# + Array(repeating: #""a""#, count: 9000).joined(separator: ",") + "]"]) },
        { payload($0, groups: [#""":["# + Array(repeating: #""""#, count: 9000).joined(separator: ",") + "]"]) },
        { payload($0, groups: (0..<5000).map { #""\#(String($0, radix: 36))":[]"# }) },
        { payload($0, ratios: Array(repeating: #""a":0"#, count: 5000)) },
    ]

    private static func layer(id: String = "a", type: String = "a", shape: [String] = ["1", "1"]) -> String {
        #"{"layer_id":"\#(id)","layer_type":"\#(type)","depth_index":0,"intermediate_features":{"activation_std":0,"#
            + #""activation_mean":0,"activation_shape":[\#(shape.joined(separator: ","))]},"#
            + #""gradient_flow":{"gradient_l2_norm":0,"gradient_std":0,"gradient_max_abs":0},"#
            + #""parameter_statistics":{"weight":{"std":0,"mean":0,"spectral_norm":0,"frobenius_norm":0}}}"#
    }

    private static func payload(
        _ step: Int, run: String = "r", layers: [String] = [], ratios: [String] = [], groups: [String] = []
    ) -> String {
        let all = [layer(type: "\(step)", shape: ["\(step)", "1"])] + layers
        return #"{"metadata":{"run_id":"\#(run)","timestamp":1,"global_step":\#(step),"batch_size":1"#
            + (groups.isEmpty ? "" : #","layer_groups":{\#(groups.joined(separator: ","))}"#)
            + #"},"layer_statistics":[\#(all.joined(separator: ","))],"cross_layer_analysis":{"feature_std_gradient":0"#
            + (ratios.isEmpty ? "" : #","gradient_norm_ratio":{\#(ratios.joined(separator: ","))}"#) + "}}"
    }

    /// The size of an array's allocation, in bytes.
    private func held<Element>(_ array: [Element]) -> Int {
        guard array.capacity > 0 else { return 0 }
        return array.withUnsafeBytes { bytes in
            bytes.baseAddress.map { malloc_usable_size(UnsafeMutableRawPointer(mutating: $0 - 32)) + 8 } ?? 0
        }
    }

    /// The size of an object's allocation, in bytes.
    private func held(_ object: AnyObject) -> Int {
        malloc_usable_size(Unmanaged.passUnretained(object).toOpaque()) + 8
    }

    @Test(arguments: kinds.indices) func `the counted size of a step is the size of its allocations`(kind: Int)
        async throws
    {
        let decoded = try StepDecoder.decode(Array(Self.kinds[kind](1).utf8)).get()
        let record = await MemoryStore(limits: StoreLimits()).append(decoded).step.record
        let (table, shapes, layout) = (record.table, record.shapes, record.table.layout)
        let (columns, names) = (record.columns, record.columns.layout)
        let groups = table.layerGroups
        let parts: [(held: Int, counted: Int)] = [
            (held(record) + held(record.numbers), record.memory),
            (
                held(table) + held(layout.text) + held(layout.nameBounds) + held(layout.depths)
                    + held(layout.groupsJSON) + held(table.heads.bytes) + held(table.heads.ends)
                    + held(groups?.bytes ?? []) + held(groups?.ends ?? []), table.memory
            ),
            (
                held(columns) + held(names.text) + held(names.scalarBounds) + held(columns.scalarKeys.bytes)
                    + held(columns.scalarKeys.ends), columns.memory
            ),
            (
                held(shapes) + held(shapes.shapes.dimensions) + held(shapes.shapes.ends)
                    + held(shapes.fragments.bytes) + held(shapes.fragments.ends), shapes.memory
            ),
        ]
        for part in parts {
            #expect(part.held <= part.counted)
            #expect(part.counted <= part.held + part.held / 8 + 256)
        }
    }

    @Test(arguments: kinds.indices) func `a step stores no more than the stated bound`(kind: Int) async throws {
        let store = MemoryStore(limits: StoreLimits())
        var before = RunTable.memory(of: "r")
        for step in 1...5 {
            let body = Array(Self.kinds[kind](step).utf8)
            _ = await store.append(try StepDecoder.decode(body).get())
            // The names of the run have a bound of their own.
            let details = try #require(await store.describe("r")).details
            let used = await store.memoryInUse - details.heapBytes
            #expect(used - before <= 4 * body.count + 2048)
            before = used
            let names = [details.names.metrics, details.names.scalars, details.names.vectors, details.names.layers]
            let length = names.reduce(0) { $0 + $1.texts.reduce(0) { $0 + $1.utf8.count } }
            #expect(details.names.heapBytes <= 2 * length + 24 * details.names.count + 4 * 200)
        }
    }

    @Test func `a step of the same structure stores only its numbers`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        _ = await store.append(Payloads.step(1))
        let before = await store.memoryInUse
        let record = await store.append(Payloads.step(2)).step.record
        // The numbers of the highest steps are listed too: eight bytes each, in a list that grows by doubling.
        let growth = await store.memoryInUse - before - record.memory
        #expect(growth >= 0 && growth <= 16 * 8)
    }

    @Test func `a run is counted with its id and frees everything`() async throws {
        let store = MemoryStore(limits: StoreLimits(runs: 100_000))
        let long = String(repeating: "x", count: 500)
        for number in 0..<100 { _ = await store.append(Payloads.step(1, run: "\(number)\(long)")) }
        let record = await store.append(Payloads.step(2, run: "0\(long)")).step.record
        let each = record.memory + record.table.memory + record.shapes.memory + record.columns.memory + 500
        #expect(await store.memoryInUse > 100 * each)
        #expect(RunTable.memory(of: "") <= 2048)
        for number in 0..<100 { #expect(await store.remove(RunID("\(number)\(long)")) != nil) }
        #expect(await store.memoryInUse == 0)
    }

    @Test func `a step that is not kept holds only its names, its layers and its bucket`() async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 10))
        for step in 100..<109 { _ = await store.append(Payloads.step(step)) }
        // The allocator may give arrays of equal length different capacities, so equal steps may differ in size.
        let replaced = await store.append(Payloads.step(109)).step.record.memory
        func series() async -> Int {
            await store.snapshot(of: "r")?.series.map { $0.series.numbersMemory + $0.series.overhead } ?? 0
        }
        let seriesBefore = await series()
        let before = await store.memoryInUse
        let details = try #require(await store.describe("r")).details.heapBytes
        weak var record: StepRecord?
        weak var table: LayerTable?
        var tables = 0
        do {
            let large = Payloads.step(1, layers: (0..<100).map { Payloads.layer(id: "layer \($0)") })
            let outcome = await store.append(large)
            #expect(!outcome.step.kept)
            record = outcome.step.record
            table = record?.table
            tables = outcome.step.record.table.memory + outcome.step.record.shapes.memory
        }
        #expect(record == nil && table != nil)
        var growth = try #require(await store.describe("r")).details.heapBytes - details
        #expect(await series() > seriesBefore + 1_200 * 8)
        #expect(await store.memoryInUse == before + tables + growth + series() - seriesBefore)
        // A step with other layers replaces them, but for the bucket.
        let next = await store.append(Payloads.step(109)).step.record
        #expect(table != nil)
        tables = next.table.memory + next.shapes.memory
        growth = try #require(await store.describe("r")).details.heapBytes - details
        #expect(
            await store.memoryInUse
                == before - replaced + next.memory + tables + growth + series() - seriesBefore)
    }
}
