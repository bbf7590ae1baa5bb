import Testing

@testable import MonitorCore

/// The cost of rejecting a payload is bounded by its length, regardless of the kind and number of errors.
@Suite struct RejectionBoundsTests {
    static func metadata(groups: String) -> String {
        #""metadata":{"run_id":"r","timestamp":1,"global_step":1,"batch_size":1,"layer_groups":\#(groups)}"#
    }

    static func repeated(_ value: String, _ count: Int) -> String {
        Array(repeating: value, count: count).joined(separator: ",")
    }

    static func rejection(_ payload: String) -> RejectedPayload {
        guard case .failure(let rejection) = StepDecoder.decode(Array(payload.utf8)) else {
            return RejectedPayload(issues: [])
        }
        return rejection
    }

    @Test(arguments: ["1", #""\ud800""#])
    func `many issues below one long key do not cost their product`(member: String) {
        let key = String(repeating: "A", count: 100_000)
        let groups = "{\"\(key)\":[\(Self.repeated(member, 1000))]}"
        let rejection = Self.rejection(Payloads.payload(metadata: Self.metadata(groups: groups)))
        #expect(rejection.issues.count == 101)
        let cut = String(repeating: "A", count: 1024) + "…"
        for (index, issue) in rejection.issues.dropLast().enumerated() {
            #expect(issue.location == [.key("metadata"), .key("layer_groups"), .key(cut), .index(index)])
        }
        #expect(rejection.issues.last == PayloadIssue(.tooManyErrors(left: 900), at: []))
        #expect(rejection.body().count < 200_000)
    }

    @Test func `the text of a key is made once for all its issues`() {
        var found = KeyedIssues()
        for occurrence in 0..<3 {
            for index in 0..<50 { found.add(.stringExpected, occurrence: occurrence, index: index) }
        }
        var issues = IssueCollector()
        var asked: [Int] = []
        found.report(to: &issues, PayloadPlace(.metadata, field: 4)) { occurrence in
            asked.append(occurrence)
            return [UInt8(ascii: "k")]
        }
        #expect(asked == [0, 1, 2])
        #expect(issues.rejection().issues.count == 101)
    }

    @Test func `the path of an issue that is only counted is not built`() {
        var issues = IssueCollector()
        var made = 0
        func way() -> [PayloadIssue.Location] {
            made += 1
            return [.index(made)]
        }
        for _ in 0..<30_000 { issues.add(.integerExpected, PayloadPlace(.features, layer: 0, field: 2), below: way()) }
        #expect(made == 10_000)
        #expect(issues.rejection().issues.last?.kind == .tooManyErrors(left: 29_900))
    }

    @Test func `a long key is cut between two characters`() {
        for (character, kept) in [("a", 1024), ("é", 512), ("€", 341), ("😀", 256)] {
            let cross =
                #""cross_layer_analysis":{"feature_std_gradient":0,"gradient_norm_ratio":{"#
                + "\"\(String(repeating: character, count: 3000))\":null}}"
            let key = String(repeating: character, count: kept) + "…"
            #expect(
                Payloads.issues(Payloads.payload(cross: cross))
                    == ["float_type cross_layer_analysis/gradient_norm_ratio/\(key)"])
        }
        let whole = String(repeating: "€", count: 341) + "a"
        let cross =
            #""cross_layer_analysis":{"feature_std_gradient":0,"gradient_norm_ratio":{"\#(whole)":null}}"#
        #expect(
            Payloads.issues(Payloads.payload(cross: cross))
                == ["float_type cross_layer_analysis/gradient_norm_ratio/\(whole)"])
    }

    @Test func `an occurrence holds no more issues than are listed`() {
        var found = KeyedIssues()
        for occurrence in [0, 1, 2] {
            for index in 0..<10_000 { found.add(.stringExpected, occurrence: occurrence, index: index) }
        }
        #expect(found.size == 300)
        found.keep([1, 2])
        #expect(found.size == 200)
        var issues = IssueCollector()
        found.report(to: &issues, PayloadPlace(.metadata, field: 4)) { [UInt8($0)] }
        #expect(issues.rejection().issues.last?.kind == .tooManyErrors(left: 19_900))
    }

    /// The decoder's columns after reading a payload, even if it was rejected.
    static func step(readFrom payload: String) -> StepContents {
        Array(payload.utf8).withUnsafeBufferPointer { buffer in
            var decoder = PayloadDecoder(buffer)
            try? decoder.payload()
            return decoder.step
        }
    }

    @Test(arguments: [
        "1", "{}", "[]", #"{"layer_id":"a"}"#, #"{"intermediate_features":{"activation_shape":[1,2,3,4]}}"#,
    ])
    func `layers of a refused payload take no memory`(layer: String) {
        let payload = Payloads.payload(layers: [Payloads.layer()] + Array(repeating: layer, count: 5000))
        let step = Self.step(readFrom: payload)
        #expect(step.layout.layerCount == 1)
        #expect(step.layout.nameBounds.count == 4)
        #expect(step.shapes.ends.count == 1)
        #expect(step.shapes.dimensions.count == 2)
        #expect(step.numbers.count == LayerMetric.count)
        let problems = Self.rejection(payload).issues
        #expect(problems.count == 101)
        #expect(problems.first?.location.prefix(2) == [.key("layer_statistics"), .index(1)])
    }

    @Test func `a layer that is repaired by a repeated key is kept`() throws {
        let repaired = Payloads.layer(id: "b", depth: "1").dropFirst()
        let layers = [
            Payloads.layer(id: "a"), #"{"layer_id":5,"gradient_flow":{},"# + repaired,
            Payloads.layer(id: "c", depth: "2"),
        ]
        let bad = "\"layer_statistics\":[{},\(Payloads.layer()),1]"
        let payload = "{\(bad),\(Payloads.payload(layers: layers).dropFirst())"
        let step = try StepDecoder.decode(Array(payload.utf8)).get()
        #expect((0..<3).map { String(decoding: step.layout.idBytes($0), as: UTF8.self) } == ["a", "b", "c"])
        #expect(step.layout.depths == [0, 1, 2])
        #expect(step.shapes.ends == [2, 4, 6])
        #expect(step.numbers.count == 3 * LayerMetric.count + 2)
    }

    @Test func `issues are in the order of the schema, independent of the order of the text`() {
        let layer = #"{"parameter_statistics":{"bias":{"mean_abs":-1,"std":-1},"weight":{"std":-1}},"layer_id":""}"#
        let payload =
            #"{"cross_layer_analysis":{"gradient_norm_ratio":{"b":"","a":""},"feature_std_gradient":"x"},"#
            + #""layer_statistics":[\#(layer),7],"metadata":{"batch_size":0,"layer_groups":{"g":[1,"",2]},"run_id":""}}"#
        #expect(
            Payloads.issues(payload) == [
                "string_too_short metadata/run_id", "missing metadata/timestamp", "missing metadata/global_step",
                "greater_than metadata/batch_size", "string_type metadata/layer_groups/g/0",
                "string_type metadata/layer_groups/g/2", "string_too_short layer_statistics/0/layer_id",
                "missing layer_statistics/0/layer_type", "missing layer_statistics/0/depth_index",
                "missing layer_statistics/0/intermediate_features", "missing layer_statistics/0/gradient_flow",
                "greater_than_equal layer_statistics/0/parameter_statistics/weight/std",
                "missing layer_statistics/0/parameter_statistics/weight/mean",
                "missing layer_statistics/0/parameter_statistics/weight/spectral_norm",
                "missing layer_statistics/0/parameter_statistics/weight/frobenius_norm",
                "greater_than_equal layer_statistics/0/parameter_statistics/bias/std",
                "greater_than_equal layer_statistics/0/parameter_statistics/bias/mean_abs",
                "model_attributes_type layer_statistics/1", "float_type cross_layer_analysis/feature_std_gradient",
                "float_type cross_layer_analysis/gradient_norm_ratio/b",
                "float_type cross_layer_analysis/gradient_norm_ratio/a",
            ])
    }
}
