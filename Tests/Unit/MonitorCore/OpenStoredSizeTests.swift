import Foundations
import Testing

@testable import MonitorCore

/// Compares the size that the store counts for a step of the open wire with the statements in SCHEMA.md.
@Suite struct OpenStoredSizeTests {
    private static func list(_ count: Int, _ item: (Int) -> String) -> String {
        (0..<count).map(item).joined(separator: ",")
    }

    private static func name(_ number: Int) -> String { String(number, radix: 36) }

    /// The members of steps that store much relative to their length. The number makes each step's tables its own.
    private static let kinds: [@Sendable (Int) -> String] = [
        { #""layers":["\#($0)",\#(list(9000) { "\"\(name($0))a\"" })]"# },
        {
            #""layers":[{"id":"x","type":"\#($0)","depth":0,"shape":[1],"parameters":1,"trainable":false,"group":"g"},"#
                + #"\#(list(9000) { "\"\(name($0))a\"" })]"#
        },
        { #""layers":[\#(list(5000) { "{\"id\":\"\(name($0))a\",\"group\":\"\"}" })],"batch_size":\#($0)"# },
        { #""layers":["\#($0)","a"],"metrics":{\#(list(128) { "\"\(name($0))\":[1,1]" })}"# },
        { #""scalars":{"x\#($0)":1,\#(list(900) { "\"\(name($0))\":1" })}"# },
        { #""vectors":{"x\#($0)":{\#(list(5000) { "\"\(name($0))\":[1]" })}}"# },
        { #""vectors":{"x\#($0)":{"a":[\#(list(4096) { _ in "1" })]}}"# },
    ]

    private func append(_ json: String, to store: MemoryStore) async throws -> Int {
        var warnings = StepWarnings()
        let known = await store.tables(of: "r")
        let step = try OpenStepDecoder(limits: OpenStepLimits())
            .decode(Array(json.utf8), runID: "r", known: known, warnings: &warnings).get()
        let before = await store.memoryInUse - (store.describe("r")?.details.heapBytes ?? 0)
        _ = await store.append(step)
        return await store.memoryInUse - (store.describe("r")?.details.heapBytes ?? 0) - before
    }

    @Test(arguments: kinds.indices) func `a step stores no more than the stated bound`(kind: Int) async throws {
        let store = MemoryStore(limits: StoreLimits(namesPerRun: 100_000))
        _ = try await append(#"{"step":0}"#, to: store)
        for number in 1...3 {
            let json = "{\"step\":\(number),\(Self.kinds[kind](number))}"
            let size = try await append(json, to: store)
            #expect(size <= 20 * json.utf8.count + 2048)
        }
    }

    @Test func `a step with the tables of the step before stores eight bytes for each number or null`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        func step(_ number: Int) -> String {
            #"{"step":\#(number),"scalars":{"a":1,"b":"NaN"},"layers":[\#(Self.list(100) { "\"l\($0)\"" })],"metrics":"#
                + #"{"m":[\#(Self.list(100) { $0 < 50 ? "null" : "0.25" })],"n":[\#(Self.list(100) { "\($0)" })]},"#
                + #""vectors":{"v":{"l1":[1,2,3]}}}"#
        }
        // The text of `layers` is kept when a step repeats it.
        for number in 0..<2 { _ = try await append(step(number), to: store) }
        let size = try await append(step(2), to: store)
        #expect(size >= 8 * 205 && size <= 8 * 205 + 176 + 128)
    }
}
