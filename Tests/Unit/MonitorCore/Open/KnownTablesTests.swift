import Foundations
import Testing

@testable import MonitorCore

/// What a step shares with an earlier one.
@Suite struct KnownTablesTests {
    private static let payload =
        #"{"step":1,"time":1,"scalars":{"gradient_norm_ratio/a":1,"loss":2},"layers":[{"id":"a.b","shape":[1,2]},"c"],"#
        + #""metrics":{"m":[1,2],"n":[3,4]},"vectors":{"v":{"a.b":[5,6]}}}"#

    private static func replacing(_ text: String, _ other: String) -> String {
        payload.split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
    }

    /// The step of a payload that follows steps with others.
    private static func step(_ payloads: [String]) throws -> DecodedStep {
        var known = KnownTables()
        var last = DecodedStep()
        for payload in payloads {
            last = try OpenPayloads.decode(payload, known: known).accepted
            known = last.known
        }
        return last
    }

    @Test func `steps with equal text share all tables, and the text is kept from the second one on`() throws {
        let first = try Self.step([Self.payload])
        let second = try OpenPayloads.decode(Self.payload, known: first.known).accepted
        let third = try OpenPayloads.decode(Self.payload, known: second.known).accepted
        #expect(first.known.layers === second.known.layers)
        #expect(first.known.columns === second.known.columns)
        #expect(first.known.shapes?.postedText.isEmpty == true)
        #expect(second.known.shapes?.postedText == Array(#"[{"id":"a.b","shape":[1,2]},"c"]"#.utf8))
        #expect(third.known.shapes === second.known.shapes)
        #expect(StepRecord(first).structure == StepRecord(third).structure)
        #expect(third.numbers == first.numbers)
        #expect((second.known.shapes?.memory ?? 0) > (first.known.shapes?.memory ?? 0))
    }

    @Test(arguments: [
        ("\"loss\"", "\"lost\""), ("\"loss\":2", "\"loss\":2,\"x\":3"), ("\"gradient_norm_ratio/a\":1,", ""),
        ("\"gradient_norm_ratio/a\"", "\"a\""), ("\"gradient_norm_ratio/a\"", "\"gradient_norm_ratio/b\""),
        ("\"n\":[3,4]", "\"n\":[3,4],\"o\":[5,6]"), (",\"n\":[3,4]", ""), ("\"n\"", "\"m2\""), ("\"v\"", "\"w\""),
        ("a.b\":[5", "a.c\":[5"), ("[5,6]", "[5]"), ("[5,6]", "[5,6],\"c\":[7]"),
    ])
    func `a step with other names has its own table of names`(text: String, other: String) throws {
        let changed = Self.replacing(text, other)
        let step = try Self.step([Self.payload, Self.payload, Self.payload, changed])
        let alone = try Self.step([changed])
        #expect(OpenPayloads.served(step) == OpenPayloads.served(alone))
        #expect(step.known.columns?.layout == alone.known.columns?.layout)
    }

    @Test func `names in another order of the text are compared as they are stored`() throws {
        let changed = Self.replacing(
            #""gradient_norm_ratio/a":1,"loss":2"#, #""loss":2,"gradient_norm_ratio/a":1"#)
        let first = try Self.step([Self.payload])
        let second = try OpenPayloads.decode(changed, known: first.known).accepted
        #expect(second.known.columns === first.known.columns)
        #expect(second.numbers == first.numbers)
    }

    @Test func `a null among known names is absent`() throws {
        let first = try Self.step([Self.payload])
        let changed = Self.replacing("\"gradient_norm_ratio/a\":1", "\"gradient_norm_ratio/a\":null")
        let second = try OpenPayloads.decode(changed, known: first.known).accepted
        #expect(second.known.columns?.layout.scalarCount == 1)
        let repeated = Self.replacing("\"loss\":2", "\"loss\":2,\"loss\":null")
        #expect(try OpenPayloads.decode(repeated, known: first.known).accepted.known.columns?.layout.scalarCount == 1)
    }

    @Test(arguments: [
        ("\"c\"]", "\"d\"]"), ("[1,2]}", "[1,3]}"), ("\"id\":\"a.b\"", "\"id\":\"a/b\""), ("\"c\"]", "\"c\" ]"),
        ("\"shape\":[1,2]", "\"shape\":[1,2],\"depth\":0"),
    ])
    func `layers with another text are parsed`(text: String, other: String) throws {
        let changed = Self.replacing(text, other)
        let step = try Self.step([Self.payload, Self.payload, Self.payload, changed])
        let alone = try Self.step([changed])
        #expect(OpenPayloads.served(step) == OpenPayloads.served(alone))
        // And the first text again does not get the other's layers.
        let again = try OpenPayloads.decode(Self.payload, known: step.known).accepted
        #expect(OpenPayloads.served(again) == OpenPayloads.served(try Self.step([Self.payload])))
    }

    @Test func `shapes that change in each step keep no text`() throws {
        let payloads = (0..<4).map { Self.replacing("[1,2]}", "[1,\($0)]}") }
        let step = try Self.step(payloads)
        #expect(step.known.shapes?.postedText.isEmpty == true)
    }

    @Test func `layers with unknown fields warn in each step`() {
        let payload = Self.replacing("\"shape\"", "\"width\":3,\"shape\"")
        var known = KnownTables()
        for _ in 0..<4 {
            let result = OpenPayloads.decode(payload, known: known)
            #expect(result.warnings == [#""width" in a layer is ignored: put it under "metrics""#])
            known = result.step?.known ?? KnownTables()
        }
    }

    @Test func `the tables of a v1 step are no pattern for names`() throws {
        var known = KnownTables()
        let v1 = StepRecord(Payloads.step(1))
        (known.layers, known.shapes, known.columns) = (v1.table, v1.shapes, v1.columns)
        let names = LayerMetric.all.map { "\"\($0.name)\":[1]" }.joined(separator: ",")
        let step = try OpenPayloads.decode(#"{"step":1,"layers":["conv.1"],"metrics":{\#(names)}}"#, known: known).accepted
        #expect(step.known.columns?.layout.isV1 == false)
        #expect(step.known.columns?.layout.metricCount == 12)
    }

    @Test func `a store gives the tables of the latest step, and of the latest with layers`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        #expect(await store.tables(of: "r").columns == nil)
        let first = try Self.step([Self.payload])
        _ = await store.append(first)
        _ = await store.append(try OpenPayloads.decode(#"{"step":2,"scalars":{"loss":1}}"#).accepted)
        let tables = await store.tables(of: "r")
        #expect(tables.layers === first.known.layers)
        #expect(tables.shapes === first.known.shapes)
        #expect(tables.columns?.layout.scalarCount == 1)
    }
}
