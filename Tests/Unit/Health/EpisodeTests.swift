import Foundations
import MonitorCore
import Testing

@testable import Health

/// Alerts of one fault belong to one episode, which names its origin.
@Suite struct EpisodeTests {
    private static func step(_ number: Int, _ metric: String, _ values: [Double]) -> String {
        let ids = values.indices.map { "\"l\($0)\"" }.joined(separator: ",")
        let numbers = values.map(TestRun.text).joined(separator: ",")
        return #"{"step":\#(number),"layers":[\#(ids)],"metrics":{"\#(metric)":[\#(numbers)]}}"#
    }

    @Test(
        arguments: [
            ("weight_std", [1, .nan, 1, .nan], "l1"), ("activation_std", [1, 1, .nan, .nan], "l2"),
            ("gradient_l2_norm", [.nan, .nan, .nan, 1], "l2"), ("weight_std", [.nan, .nan, .nan, .nan], nil),
            ("gradient_l2_norm", [1, .infinity, 1, 1], "l1"),
        ] as [(String, [Double], String?)])
    func `the origin of what is not finite follows the way of the numbers`(
        metric: String, values: [Double], layer: String?
    ) throws {
        var run = TestRun()
        run.post(Self.step(0, metric, [1, 1, 1, 1]))
        let changes = run.post(Self.step(1, metric, values))
        #expect(changes.alerts.count == values.count { !$0.isFinite } && changes.notices.count == 1)
        let notice = try #require(changes.notices.first)
        #expect(notice.event == .opened && notice.episode.kind == "non_finite" && notice.episode.severity == .critical)
        let origin = try #require(notice.episode.origin)
        #expect(origin.layer?.text == layer && origin.step == 1)
        #expect(notice.episode.layerCount == changes.alerts.count && notice.alerts.count == changes.alerts.count)
    }

    @Test func `weights come before activations, and activations before gradients`() throws {
        var run = TestRun()
        let changes = run.post(
            #"{"step":5,"layers":["a","b","c"],"metrics":{"gradient_l2_norm":["NaN","NaN","NaN"],"#
                + #""activation_std":[1,"NaN","NaN"],"weight_std":[1,1,"NaN"]}}"#)
        let origin = try #require(changes.notices.first?.episode.origin)
        #expect(origin.layer == "c" && origin.reason == "the first layer in depth order whose weights are not finite")
    }

    @Test func `alerts within twenty reports join an episode, which closes with its last one`() throws {
        var run = TestRun()
        func post(_ step: Int, _ dead: Double, _ logits: Double) -> HealthChanges {
            run.post(
                #"{"step":\#(step),"layers":["a","b"],"metrics":{"activation_std":[\#(dead),1],"#
                    + #""overflow_fraction":[0,\#(logits)]}}"#)
        }
        for step in 0..<10 { _ = post(step, 1, 0) }
        let opened = try #require(post(10, 1, 0.0005).notices.first)
        #expect(opened.event == .opened && opened.episode.kind == "overflow" && opened.episode.severity == .warning)
        var events: [String] = []
        for step in 11..<40 {
            events += post(step, step < 20 ? 0 : 1, 0).notices.map {
                "\($0.event.rawValue) \(step) \($0.episode.id) \($0.episode.origin?.layer?.text ?? "-")"
            }
        }
        // The dead layer is critical, and comes before the overflow in the order of origins.
        #expect(events == ["escalated 13 1 a", "closed 29 1 a"])
        let episode = try #require(run.report.episodes.first)
        #expect(!episode.isOpen && episode.rules == ["overflow", "dead_layer"] && episode.layers == ["b", "a"])
        #expect((episode.firstStep, episode.openedStep, episode.closedStep) == (10, 10, 29))
        #expect(run.report.episodes.count == 1)
    }

    @Test func `a bad batch is a spike of the loss, not the fault of a layer`() throws {
        var run = TestRun()
        func step(_ number: Int, _ loss: Double, _ norm: Double) -> String {
            #"{"step":\#(number),"scalars":{"loss":\#(loss)},"layers":["a"],"metrics":{"gradient_l2_norm":[\#(norm)]}}"#
        }
        for number in 0..<30 { run.post(step(number, 1 + 0.01 * Double(number % 3), 1)) }
        let notice = try #require(run.post(step(30, 20, 200)).notices.first)
        #expect(notice.episode.kind == "loss_spike" && notice.episode.origin == nil)
        #expect(notice.episode.rules.contains("exploding_gradient"))
    }

    @Test func `going back closes what opened later, and begins the rules anew`() throws {
        var run = TestRun()
        for step in 0..<5 { run.post(step, "overflow_fraction", 0.01) }
        for step in 5..<10 { run.post(step, "activation_std", 1) }
        for step in 10..<13 { run.post(step, "activation_std", 0) }
        #expect(run.open == ["overflow a critical", "dead_layer a critical"])
        let changes = run.goBack(to: 8)
        #expect(changes.alerts.map(TestRun.name) == ["dead_layer a critical"] && changes.notices.count == 0)
        #expect(run.open == ["overflow a critical"])
        // Lower steps are judged again, and the alert that is still open can close.
        for step in 8..<18 { run.post(step, "overflow_fraction", 0) }
        #expect(run.open.isEmpty)
    }

    @Test func `a restart below the kept steps closes everything once`() {
        var run = TestRun()
        run.post(1_000, "overflow_fraction", 0.01)
        #expect(run.open == ["overflow a critical"])
        run.post(#"{"step":0,"layers":["a"],"metrics":{"overflow_fraction":[0.01]}}"#, isBelowKeptSteps: true)
        #expect(run.open == ["overflow a critical"] && run.report.alerts.count == 2)
        run.post(#"{"step":1,"layers":["a"],"metrics":{"overflow_fraction":[0.01]}}"#, isBelowKeptSteps: true)
        #expect(run.report.alerts.count == 2)
    }

    @Test func `a late step is not judged`() {
        var run = TestRun()
        run.post(10, "overflow_fraction", 0)
        run.post(9, "overflow_fraction", 0.5)
        run.post(10, "overflow_fraction", 0.5)
        #expect(run.report.alerts.isEmpty)
        run.post(11, "overflow_fraction", 0.5)
        #expect(run.open == ["overflow a critical"])
    }

    @Test func `the word of the trainer is an episode of its own`() throws {
        var run = TestRun()
        run.post(3, "overflow_fraction", 0.5)
        var posted = PostedAlert()
        posted.title = Array("disk full".utf8)
        posted.level = .critical
        let notice = try #require(run.note(posted).notices.first)
        #expect(notice.event == .opened && notice.episode.kind == "trainer" && !notice.episode.isOpen)
        #expect(run.report.episodes.map(\.id) == [1, 2] && run.open == ["overflow a critical"])
    }

    @Test func `closed alerts are kept up to a bound and then counted`() {
        var run = TestRun()
        var posted = PostedAlert()
        posted.title = Array("t".utf8)
        for _ in 0..<1_010 { run.note(posted) }
        #expect(run.report.alerts.count == 1_000 && run.report.forgotten == 10)
        #expect(run.report.alerts.first?.id == 1_010)
    }

    @Test func `many layers make one message`() {
        var run = TestRun()
        let count = 300
        run.post(Self.step(0, "activation_std", Array(repeating: 1, count: count)))
        let changes = run.post(
            Self.step(1, "activation_std", [1] + Array(repeating: .nan, count: count - 1)))
        #expect(changes.alerts.count == count - 1 && changes.notices.count == 1)
        #expect(changes.notices[0].alerts.count == 10 && changes.notices[0].episode.layerCount == count - 1)
        #expect(changes.notices[0].episode.origin?.layer == "l1")
    }

    @Test func `rules name the inputs that they lack`() throws {
        var run = TestRun()
        run.post(0, "gradient_l2_norm", 1)
        let rules = run.report.rules
        #expect(Set(rules.map(\.name)) == Set(RuleID.allCases.map(\.name)))
        let ratio = try #require(rules.first { $0.name == "update_ratio" })
        #expect(ratio.state == .inputsMissing && ratio.hint == "post `update_ratio` to get this rule")
        #expect(ratio.layersMissing == 1)
        let exploding = try #require(rules.first { $0.name == "exploding_gradient" })
        #expect(exploding.state == .warmingUp && exploding.inputsMissing.isEmpty && exploding.layersMissing == 0)
    }
}

extension TestRun {
    /// The training goes back.
    mutating func goBack(to step: Int64) -> HealthChanges {
        engineChange { $0.goBack(to: step, lastSeq: 0, at: UTCTime(microseconds: 0)) }
    }

    /// The trainer posts an alert.
    @discardableResult
    mutating func note(_ alert: PostedAlert) -> HealthChanges {
        engineChange { $0.note(alert, lastSeq: 0, at: UTCTime(microseconds: 0)) }
    }
}
