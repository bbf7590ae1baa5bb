import Testing

@testable import MonitorCore

@Suite struct LikelyNamesTests {
    @Test(arguments: [
        #""gradient_norm_ratio":{"a":1,"b":2}"#, #""gradient_norm_ratio":{"a":1}"#, #""gradient_norm_ratio":{}"#, "",
        #""gradient_norm_ratio":{"a":1,"b":2,"c":3}"#, #""gradient_norm_ratio":{"b":2,"a":1}"#,
        #""gradient_norm_ratio":{"a":1,"b":2,"a":3}"#, #""gradient_norm_ratio":{"a":1,"\u0062":2}"#,
        #""gradient_norm_ratio":{"a":1,"b":2},"gradient_norm_ratio":{"a":5}"#,
        #""gradient_norm_ratio":{"a":5},"gradient_norm_ratio":{"a":1,"b":2}"#,
    ])
    func `likely names change nothing but the cost`(ratios: String) throws {
        func cross(_ ratios: String) -> String {
            #""cross_layer_analysis":{"feature_std_gradient":0.5"# + (ratios.isEmpty ? "" : ",") + ratios + "}"
        }
        let posted = Array(Payloads.payload(cross: cross(ratios)).utf8)
        let alone = try StepDecoder.decode(posted).get()
        for known in [#""gradient_norm_ratio":{"a":1,"b":2}"#, #""gradient_norm_ratio":{"a":1}"#, ""] {
            let names = LikelyNames()
            names.note(StepRecord(try StepDecoder.decode(Array(Payloads.payload(cross: cross(known)).utf8)).get()))
            let likely = try #require(names.current)
            let step = try StepDecoder.decode(posted, likely: likely).get()
            #expect(step.columns == alone.columns, "after \(known)")
            #expect(step.numbers.map(\.bitPattern) == alone.numbers.map(\.bitPattern))
        }
    }

    @Test func `likely names are those of v1, and an error names the key as posted`() throws {
        let names = LikelyNames()
        names.note(StepRecord(Payloads.step(1)))
        let cross = #""cross_layer_analysis":{"feature_std_gradient":0,"gradient_norm_ratio":{"a.b":"x"}}"#
        let payload = Array(Payloads.payload(cross: cross).utf8)
        func rejection(_ likely: ColumnLayout?) -> RejectedPayload? {
            guard case .failure(let rejection) = StepDecoder.decode(payload, likely: likely) else { return nil }
            return rejection
        }
        let alone = try #require(rejection(nil))
        #expect(rejection(names.current) == alone)
        names.note(StepRecord(OpenSteps.step(1, scalars: ["a.b"], metrics: [])))
        let step = try StepDecoder.decode(Array(Payloads.payload().utf8), likely: names.current).get()
        #expect(step.columns.isV1 && step.columns.ratioCount == 1)
    }
}
