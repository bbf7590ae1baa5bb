import Testing

@testable import MonitorCore

/// Compares the memory that a run counts with the memory that it holds.
@Suite struct RunMemoryTests {
    private static let structures = (0..<4).map { extra in
        (0...extra).map { Payloads.layer(id: "layer.\($0)", depth: "\($0)") }
    }
    /// The same layers with another activation shape.
    private static let reshaped = [
        Payloads.layer(features: #""activation_std":0.5,"activation_mean":0,"activation_shape":[1,2,3,4]"#)
    ]

    private func held(_ run: Run) -> Int {
        var last: Int64?
        var tables: [ObjectIdentifier: Int] = [:]
        var bytes = 0
        while case let batch = run.steps.steps(after: last), !batch.isEmpty {
            for record in batch {
                bytes += record.memory
                tables[ObjectIdentifier(record.table)] = record.table.memory
                tables[ObjectIdentifier(record.shapes)] = record.shapes.memory
                tables[ObjectIdentifier(record.columns)] = record.columns.memory
            }
            last = batch.last?.step
        }
        let structure = run.details.structure
        if let table = structure.table { tables[ObjectIdentifier(table)] = table.memory }
        if let shapes = structure.shapes { tables[ObjectIdentifier(shapes)] = shapes.memory }
        return bytes + tables.values.reduce(0, +) + run.details.heapBytes + held(run.series)
    }

    private func held(_ series: RunSeries) -> Int {
        var tables: [ObjectIdentifier: Int] = [:]
        let closed = series.archive.buckets(in: 0 ... .max).buckets.dropLast()
        for bucket in closed {
            tables[ObjectIdentifier(bucket.numbers.table)] = bucket.numbers.table.memory + 32
            tables[ObjectIdentifier(bucket.numbers.columns)] = bucket.numbers.columns.memory + 32
        }
        // The list of buckets and the open one.
        let rest = series.archive.memoryOfCopy
        return held(series.root) + series.tail.heapBytes + closed.reduce(0) { $0 + $1.numbers.memory }
            + tables.values.reduce(0, +) + rest
    }

    private func held(_ node: SeriesTreeNode?) -> Int {
        guard let node else { return 0 }
        return 144 + node.steps.heapBytes + (node.numbers?.memory ?? 0) + held(node.children?.low)
            + held(node.children?.high)
    }

    @Test func `steps in any order and of any structure are counted exactly`() {
        var random = SystemRandomNumberGenerator()
        var run = Run(createdAt: UTCTime(microseconds: 0))
        for _ in 0..<2000 {
            if Int.random(in: 0..<8, using: &random) == 0 {
                run.removeLowest()
            } else {
                let layers = (Self.structures + [Self.reshaped]).randomElement(using: &random) ?? []
                // Few distinct step numbers: many steps are replaced, and many are too low for a full run.
                let step = Payloads.step(.random(in: 0..<30, using: &random), layers: layers)
                let record = run.record(run.admit(step, maximumNames: 4).step)
                let placement = run.keep(record, limit: 15)
                run.note(record, placement, at: UTCTime(microseconds: 1))
            }
            #expect(run.memory == held(run))
        }
        while run.steps.count > 0 { run.removeLowest() }
        #expect(run.memory == held(run))
    }

    /// The unused capacity of an array, in bytes.
    private func spare<Element>(_ array: [Element]) -> Int {
        (array.capacity - array.count) * MemoryLayout<Element>.stride
    }

    @Test func `a payload with much white space leaves no unused capacity`() {
        var run = Run(createdAt: UTCTime(microseconds: 0))
        let metadata =
            #""metadata":{"run_id":"r","timestamp":1,"global_step":1,"batch_size":1,"layer_groups":{"g":["a","b"]}}"#
        let payload = Payloads.payload(metadata: metadata) + String(repeating: " ", count: 1_000_000)
        guard case .success(let decoded) = StepDecoder.decode(Array(payload.utf8)) else {
            Issue.record("refused")
            return
        }
        let record = run.record(decoded)
        let layout = record.table.layout
        let spares = [
            spare(record.numbers), spare(layout.text), spare(layout.nameBounds), spare(layout.depths),
            spare(layout.groupsJSON), spare(record.table.groups), spare(record.table.heads.bytes),
            spare(record.table.heads.ends), spare(record.columns.layout.text),
            spare(record.columns.layout.scalarBounds),
            spare(record.columns.scalarKeys.bytes), spare(record.columns.metricKeys.bytes),
            spare(record.shapes.shapes.dimensions), spare(record.shapes.shapes.ends),
            spare(record.shapes.fragments.bytes), spare(record.shapes.fragments.ends),
        ]
        #expect(spares.allSatisfy { $0 <= 128 }, "\(spares)")
    }

    @Test func `a run keeps the numbers of the decoder without a copy`() {
        for count in [1, 2, 50, 400] {
            let layers = (0..<count).map { Payloads.layer(id: "layer.\($0)", depth: "\($0)") }
            let decoded = Payloads.step(1, layers: layers)
            #expect(spare(decoded.numbers) <= 128)
            var run = Run(createdAt: UTCTime(microseconds: 0))
            let record = run.record(decoded)
            let made = decoded.numbers.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
            #expect(record.numbers.withUnsafeBytes { Int(bitPattern: $0.baseAddress) } == made)
        }
    }

    @Test func `the offsets of prepared JSON suffice for the largest body`() {
        // The largest growth: five bytes become twenty.
        let dimensions = Array(repeating: "1e18", count: 32).joined(separator: ",")
        let features = #""activation_std":0.5,"activation_mean":0,"activation_shape":[\#(dimensions)]"#
        let layers = Array(repeating: Payloads.layer(features: features), count: 300)
        let payload = Array(Payloads.payload(layers: layers).utf8)
        guard case .success(let decoded) = StepDecoder.decode(payload) else {
            Issue.record("refused")
            return
        }
        let served = ShapeTable(decoded.shapes).fragments.bytes.count
        #expect(served > payload.count)
        #expect(served < payload.count * 4)
        let largestBody = 1 << 30
        #expect(Int(JSONFragments.Offset.max) + 1 >= largestBody * 4)
    }
}
