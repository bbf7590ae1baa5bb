import Foundations
import Testing

@testable import MonitorCore

/// What a step shares with earlier ones.
@Suite struct KnownTablesTests {
    private static let payload =
        #"{"step":1,"time":1,"scalars":{"gradient_norm_ratio/a":1,"loss":2},"layers":[{"id":"a.b","shape":[1,2]},"c"],"#
        + #""metrics":{"m":[1,2],"n":[3,4]},"vectors":{"v":{"a.b":[5,6]}}}"#

    private static func replacing(_ text: String, _ other: String) -> String {
        payload.split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
    }

    /// A run in a store, whose tables the decoder knows.
    private struct StoredRun {
        let store = MemoryStore(limits: StoreLimits())

        @discardableResult
        func post(_ payload: String) async throws -> StepRecord {
            let step = try OpenPayloads.decode(payload, known: await store.tables(of: "r")).accepted
            return await store.append(step).step.record
        }
    }

    /// The last of several steps of a run.
    private static func last(_ payloads: [String]) async throws -> StepRecord {
        let run = StoredRun()
        for payload in payloads.dropLast() { try await run.post(payload) }
        return try await run.post(payloads.last ?? "")
    }

    /// A step as it is served, whatever its `seq`.
    private static func served(_ record: StepRecord) -> String {
        OpenPayloads.served(record).replacing(/"seq":\d+/) { _ in #""seq":1"# }
    }

    @Test func `steps with equal text share all tables, and the text is kept from the second one on`() async throws {
        let run = StoredRun()
        let first = try await run.post(Self.payload)
        let second = try await run.post(Self.payload)
        let third = try await run.post(Self.payload)
        #expect(first.table === second.table)
        #expect(first.columns === second.columns)
        #expect(first.shapes.postedText.isEmpty)
        #expect(second.shapes.postedText == Array(#"[{"id":"a.b","shape":[1,2]},"c"]"#.utf8))
        #expect(third.table === second.table)
        #expect(third.shapes === second.shapes)
        #expect(first.structure == third.structure)
        #expect(third.numbers == first.numbers)
        #expect(second.shapes.memory > first.shapes.memory)
    }

    @Test(arguments: [
        ("\"loss\"", "\"lost\""), ("\"loss\":2", "\"loss\":2,\"x\":3"), ("\"gradient_norm_ratio/a\":1,", ""),
        ("\"gradient_norm_ratio/a\"", "\"a\""), ("\"gradient_norm_ratio/a\"", "\"gradient_norm_ratio/b\""),
        ("\"n\":[3,4]", "\"n\":[3,4],\"o\":[5,6]"), (",\"n\":[3,4]", ""), ("\"n\"", "\"m2\""), ("\"v\"", "\"w\""),
        ("a.b\":[5", "a.c\":[5"), ("[5,6]", "[5]"), ("[5,6]", "[5,6],\"c\":[7]"),
    ])
    func `a step with other names has its own table of names`(text: String, other: String) async throws {
        let changed = Self.replacing(text, other)
        let step = try await Self.last([Self.payload, Self.payload, Self.payload, changed])
        let alone = try await Self.last([changed])
        #expect(Self.served(step) == Self.served(alone))
        #expect(step.columns.layout == alone.columns.layout)
    }

    @Test func `names in another order of the text are compared as they are stored`() async throws {
        let run = StoredRun()
        let first = try await run.post(Self.payload)
        let second = try await run.post(
            Self.replacing(#""gradient_norm_ratio/a":1,"loss":2"#, #""loss":2,"gradient_norm_ratio/a":1"#))
        #expect(second.columns === first.columns)
        #expect(second.numbers == first.numbers)
    }

    @Test(arguments: [
        ("\"gradient_norm_ratio/a\":1", "\"gradient_norm_ratio/a\":null"), ("\"loss\":2", "\"loss\":2,\"loss\":null"),
    ])
    func `a null among known names is absent`(text: String, other: String) async throws {
        let step = try await Self.last([Self.payload, Self.replacing(text, other)])
        #expect(step.columns.layout.scalarCount == 1)
    }

    @Test(arguments: [
        ("\"c\"]", "\"d\"]"), ("[1,2]}", "[1,3]}"), ("\"id\":\"a.b\"", "\"id\":\"a/b\""), ("\"c\"]", "\"c\" ]"),
        ("\"shape\":[1,2]", "\"shape\":[1,2],\"depth\":0"), (#"[{"id":"a.b","shape":[1,2]},"c"]"#, #"["x","y"]"#),
    ])
    func `layers with another text are parsed`(text: String, other: String) async throws {
        let changed = Self.replacing(text, other)
        let run = StoredRun()
        for _ in 0..<3 { try await run.post(Self.payload) }
        #expect(Self.served(try await run.post(changed)) == Self.served(try await Self.last([changed])))
        // The first text again does not get the other's layers, nor the other's text the first's.
        for payload in [Self.payload, changed, changed, Self.payload, Self.payload, changed] {
            #expect(Self.served(try await run.post(payload)) == Self.served(try await Self.last([payload])))
        }
    }

    @Test func `shapes that change in each step keep no text, and share the layers`() async throws {
        let run = StoredRun()
        let first = try await run.post(Self.payload)
        for size in 3..<6 {
            let step = try await run.post(Self.replacing("[1,2]}", "[1,\(size)]}"))
            #expect(step.shapes.postedText.isEmpty)
            #expect(step.table === first.table)
        }
    }

    @Test func `layers with unknown fields warn in each step`() async throws {
        let payload = Self.replacing("\"shape\"", "\"width\":3,\"shape\"")
        let run = StoredRun()
        for _ in 0..<4 {
            let result = OpenPayloads.decode(payload, known: await run.store.tables(of: "r"))
            #expect(result.warnings == [#""width" in a layer is ignored: put it under "metrics""#])
            try await run.post(payload)
        }
    }

    @Test func `the tables of a v1 step are no pattern for names`() async throws {
        let run = StoredRun()
        _ = await run.store.append(Payloads.step(1))
        let names = LayerMetric.all.map { "\"\($0.name)\":[1]" }.joined(separator: ",")
        let step = try await run.post(#"{"step":1,"layers":["conv.1"],"metrics":{\#(names)}}"#)
        #expect(!step.columns.layout.isV1)
        #expect(step.columns.layout.metricCount == 12)
    }

    @Test func `steps without layers between others cost no tables`() async throws {
        let run = StoredRun()
        let first = try await run.post(Self.payload)
        let second = try await run.post(#"{"step":2,"scalars":{"loss":1}}"#)
        let tables = await run.store.tables(of: "r")
        #expect(tables.layers === first.table)
        #expect(tables.columns === second.columns)
        #expect(second.table === LayerTable.none && second.table.memory == 0 && second.shapes.memory == 0)
        #expect(try await run.post(Self.payload.replacing("\"step\":1", with: "\"step\":3")).table === first.table)
    }

    @Test func `a step that was decoded for a deleted run gets tables of the new one`() async throws {
        let run = StoredRun()
        for _ in 0..<2 { try await run.post(Self.payload) }
        let step = try OpenPayloads.decode(Self.payload, known: await run.store.tables(of: "r")).accepted
        _ = await run.store.remove("r")
        #expect(
            Self.served(await run.store.append(step).step.record) == Self.served(try await Self.last([Self.payload])))
    }
}
