import MonitorCore
import Testing

@testable import Health

/// Rules on the run.
@Suite struct RunRuleTests {
    @Test func `a loss that is not finite is critical at once`() throws {
        var run = TestRun()
        run.post(0, loss: 2.5)
        let alert = try #require(run.post(1, loss: .nan).alerts.first)
        #expect(TestRun.name(alert) == "loss_not_finite - critical" && alert.baseline == 2.5)
        #expect(alert.title == "the loss is not finite" && alert.comparison == .notFinite)
    }

    @Test func `a bad batch is a warning that closes after ten clean reports`() {
        var run = TestRun()
        for step in 0..<20 { run.post(step, loss: 1 + 0.01 * Double(step % 5)) }
        run.post(20, loss: 5)
        #expect(run.open == ["loss_spike - warning"])
        for step in 21..<31 { run.post(step, loss: 1) }
        #expect(run.open.isEmpty && run.report.alerts.count == 1)
    }

    @Test func `a loss that is as noisy as ever has no spike`() {
        var run = TestRun()
        for step in 0..<200 { run.post(step, loss: step % 10 == 0 ? 3.5 : 1) }
        #expect(run.report.alerts.isEmpty)
    }

    @Test func `a loss that rises for long diverges, unless the learning rate rose`() {
        for hasRise in [false, true] {
            var run = TestRun()
            for step in 0..<50 { run.post(step, loss: 2 - 0.03 * Double(step), lr: 0.1) }
            for step in 50..<90 {
                run.post(step, loss: 0.5 + 0.1 * Double(step - 50), lr: hasRise ? 0.1 + 0.01 * Double(step) : 0.1)
            }
            #expect(run.open.contains { $0.hasPrefix("loss_diverging") } == !hasRise, "\(run.open)")
        }
    }

    @Test func `the norm of all gradients has a spike`() {
        var run = TestRun()
        for step in 0..<30 { run.post(#"{"step":\#(step),"scalars":{"loss":1,"grad_norm":\#(1 + step % 2)}}"#) }
        run.post(#"{"step":30,"scalars":{"loss":1,"grad_norm":100}}"#)
        #expect(run.open == ["grad_norm_spike - warning"])
    }

    @Test func `a step that the loss scaler skipped is no report of gradients`() {
        var run = TestRun()
        func step(_ number: Int, skipped: Int) -> String {
            #"{"step":\#(number),"scalars":{"optimizer_skipped":\#(skipped)},"layers":["a"],"#
                + #""metrics":{"gradient_l2_norm":["Infinity"],"activation_std":[1]}}"#
        }
        for number in 0..<19 { run.post(step(number, skipped: 1)) }
        #expect(run.report.alerts.isEmpty)
        // The twentieth in a row counts.
        run.post(step(19, skipped: 1))
        #expect(run.open == ["non_finite a critical"])
    }
}
