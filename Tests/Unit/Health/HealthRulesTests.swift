import Foundations
import MonitorCore
import Testing

@testable import Health

/// The file of thresholds.
@Suite struct HealthRulesTests {
    private static func rules(_ text: String) throws -> HealthRules { try HealthRules(reading: Array(text.utf8)) }

    @Test func `thresholds apply to all runs, to patterns of layers, and to projects`() throws {
        let rules = try Self.rules(
            """
            {"layers": [{"match": "head.*", "rules": {"overflow": {"enabled": false}}}],
             "rules": {"overflow": {"warning": 0.5, "critical": 0.9}},
             "projects": {"gpt": {"rules": {"overflow": {"warning": 0.2}}}}}
            """)
        func open(_ project: String, _ value: Double) -> [String] {
            var run = TestRun(rules)
            run.context.project = project
            run.post(
                #"{"step":0,"layers":["head.out","a"],"metrics":{"overflow_fraction":[\#(value),\#(value)]}}"#)
            return run.open
        }
        #expect(open("", 0.4).isEmpty)
        #expect(open("", 0.6) == ["overflow a warning"])
        #expect(open("other", 0.95) == ["overflow a critical"])
        #expect(open("gpt", 0.3) == ["overflow a warning"])
    }

    @Test func `other names of scalars can be interpreted`() throws {
        var run = TestRun(try Self.rules(#"{"names": {"loss": ["objective"]}}"#))
        run.post(#"{"step":0,"scalars":{"loss":"NaN"}}"#)
        #expect(run.open.isEmpty)
        run.post(#"{"step":1,"scalars":{"objective":"NaN"}}"#)
        #expect(run.open == ["loss_not_finite - critical"])
    }

    @Test func `new settings apply from the next step on, and a rule that is off closes its alerts`() throws {
        let settings = HealthRulesInUse(HealthRules())
        var run = TestRun(settings)
        run.post(0, "overflow_fraction", 0.5)
        #expect(run.open == ["overflow a critical"])
        settings.use(try Self.rules(#"{"rules": {"overflow": {"enabled": false}}}"#))
        let closed = run.post(1, "overflow_fraction", 0.5).alerts
        #expect(closed.map(\.isOpen) == [false] && run.open.isEmpty)
        #expect(run.report.rules.first { $0.name == "overflow" }?.state == .off)
        settings.use(HealthRules())
        run.post(2, "overflow_fraction", 0.5)
        #expect(run.open == ["overflow a critical"])
    }

    @Test(arguments: [
        ("{\"rules\": {\n\"dead_unit\": {}}}", 2, "is no rule: the rules are non_finite, dead_layer"),
        ("{\n\n\"rulez\": {}}", 3, "\"rulez\" is unknown: the keys here are rules, layers, names, projects"),
        ("{\"rules\": {\"dead_units\":\n{\"warnin\": 1}}}", 2, "it has enabled, warning, warning_for, critical"),
        ("{\"rules\": {\"dead_units\": {\"warning\": \"1\"}}}", 1, "dead_units.warning must be a number of at least 0"),
        ("{\"rules\": {\"dead_units\": {\"warning_for\": 1.5}}}", 1, "must be a whole number from 1 to 10000"),
        ("{\"rules\": {\"dead_units\": {\"enabled\": 1}}}", 1, "dead_units.enabled must be true or false"),
        ("{\"layers\": [{\"rules\": {}}]}", 1, "an entry of layers needs \"match\""),
        ("{\"layers\": {}}", 1, "layers must be a list"), ("[]", 1, "the file must be an object"),
        ("{\"names\": {\"loss\": []}}", 1, "loss must be a list of names"),
        ("{\"projects\": {\"a\": {\n\"projects\": {}}}}", 2, "is unknown: the keys here are rules, layers, names"),
        ("{\"rules\": {}\n,}", 2, "unexpected character"),
    ])
    func `a bad file is refused with the line`(text: String, line: Int, reason: String) throws {
        let failure = #expect(throws: SettingsJSON.Failure.self) { _ = try Self.rules(text) }
        #expect(failure?.line == line)
        #expect(failure?.reason.contains(reason) == true, "\(failure?.reason ?? "")")
    }
}
