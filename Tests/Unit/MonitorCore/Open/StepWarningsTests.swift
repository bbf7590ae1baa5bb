import Foundations
import Testing

@testable import MonitorCore

@Suite struct StepWarningsTests {
    @Test(arguments: [
        (#""loss":0.3"#, #""loss" at the top level is ignored: put it under "scalars""#),
        (#""loss":"NaN""#, #""loss" at the top level is ignored: put it under "scalars""#),
        (#""loss":NaN"#, #""loss" at the top level is ignored: put it under "scalars""#),
        (#""m":[1,2]"#, #""m" at the top level is ignored: put it under "metrics""#),
        (#""x":null"#, #""x" at the top level is ignored: a step has no such field"#),
        (#""x":{"y":[NaN,1e999,-Infinity]}"#, #""x" at the top level is ignored: a step has no such field"#),
        (#""global_step":1"#, #""global_step" at the top level is ignored: call it "step""#),
        (#""name":"x""#, #""name" at the top level is ignored: put it into PUT /api/v2/runs/{run}"#),
        (#""layers":[{"id":"a","depth_index":1}]"#, #""depth_index" in a layer is ignored: call it "depth""#),
        (#""layers":[{"id":"a","norm":1}]"#, #""norm" in a layer is ignored: put it under "metrics""#),
        (#""time":NaN"#, #""time" is not finite: the server's clock was used instead"#),
        (#""time":"-Infinity""#, #""time" is not finite: the server's clock was used instead"#),
        (#""time":1e999"#, #""time" is not finite: the server's clock was used instead"#),
        (
            #""vectors":{"g_exponents":{"a":[1]}}"#,
            #""g_exponents" under "vectors" does not have 66 counts, as a histogram by exponent has: it is stored, but "#
                + "not understood as one"
        ),
    ])
    func `a warning names what was ignored and where it belongs`(rest: String, warning: String) throws {
        let result = OpenPayloads.decode("{\"step\":1,\(rest)}")
        #expect(try result.accepted.timestamp == 1_795_993_300.81)
        #expect(result.warnings == [warning])
    }

    @Test func `there are at most ten, each text once`() throws {
        let fields = (0..<30).map { "\"u\($0)\":1" }.joined(separator: ",")
        #expect(OpenPayloads.decode("{\"step\":1,\(fields)}").warnings.count == 10)
        let repeated = (0..<30).map { _ in "\"u\":1" }.joined(separator: ",")
        #expect(OpenPayloads.decode("{\"step\":1,\(repeated)}").warnings.count == 1)
        let long = OpenPayloads.decode("{\"step\":1,\"\(String(repeating: "k", count: 5000))\":1}").warnings
        #expect(long.count == 1 && long[0].utf8.count < 1200)
    }

    @Test func `a rejected step leaves no warnings`() {
        var warnings = StepWarnings()
        let result = OpenStepDecoder().decode(Array(#"{"loss":1,"step":-1}"#.utf8), runID: "r", warnings: &warnings)
        guard case .failure = result else { return #expect(Bool(false), "it is rejected") }
        #expect(warnings.texts.isEmpty)
    }
}
