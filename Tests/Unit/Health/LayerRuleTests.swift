import MonitorCore
import Testing

@testable import Health

/// Each rule opens at its threshold after its duration, and not before.
@Suite struct LayerRuleTests {
    @Test func `a layer whose outputs no longer differ is dead after three reports`() throws {
        var run = TestRun()
        for step in 0..<10 { run.post(step, "activation_std", 0.64) }
        for step in 10..<12 { #expect(run.post(step, "activation_std", 0).alerts.isEmpty) }
        let opened = run.post(12, "activation_std", 0).alerts
        let alert = try #require(opened.first)
        #expect(TestRun.name(alert) == "dead_layer a critical")
        #expect((alert.firstStep, alert.openedStep, alert.escalatedStep, alert.reports) == (10, 12, 12, 3))
        #expect(alert.value == 0 && alert.threshold == [0] && alert.comparison == .equal)
        #expect(abs(alert.baseline - 0.64) < 1e-12)
        #expect(alert.message == "activation_std is 0 since step 10 (mean before: 0.64).")
        // It closes after ten clean reports.
        for step in 13..<22 { run.post(step, "activation_std", 0.6) }
        #expect(run.open == ["dead_layer a critical"])
        let closed = try #require(run.post(22, "activation_std", 0.6).alerts.first)
        #expect(!closed.isOpen && closed.closedStep == 22 && closed.lastStep == 12)
        #expect(run.open.isEmpty)
    }

    @Test func `a thousandth of the mean is dead, a hundredth is not`() {
        var run = TestRun()
        for step in 0..<10 { run.post(step, "activation_std", 1) }
        for step in 10..<30 { run.post(step, "activation_std", 0.01) }
        #expect(run.open.isEmpty)
        for step in 30..<33 { run.post(step, "activation_std", 9e-6) }
        #expect(run.open == ["dead_layer a critical"])
    }

    @Test(arguments: [
        ("dead_fraction", 0.81, 20, "dead_units a warning"), ("dead_fraction", 0.99, 10, "dead_units a critical"),
        ("saturated_fraction", 0.81, 20, "saturation a warning"),
        ("saturated_fraction", 0.99, 10, "saturation a critical"),
        ("underflow_fraction", 0.2, 3, "underflow a warning"), ("underflow_fraction", 0.6, 3, "underflow a critical"),
        ("overflow_fraction", 1e-6, 1, "overflow a warning"), ("overflow_fraction", 0.01, 1, "overflow a critical"),
        ("attention_max_logit", 2_000, 3, "attention_logits a critical"),
        ("update_ratio", 0.2, 20, "update_ratio a warning"), ("update_ratio", 1e-6, 20, "update_ratio a warning"),
        ("update_ratio", 0.5, 10, "update_ratio a critical"),
    ])
    func `a value opens an alert after its duration`(
        metric: String, value: Double, duration: Int, expected: String
    ) {
        var run = TestRun()
        for step in 0..<duration - 1 { run.post(step, metric, value) }
        #expect(run.open.isEmpty)
        run.post(duration - 1, metric, value)
        #expect(run.open == [expected])
    }

    @Test(arguments: [
        ("dead_fraction", 0.8), ("saturated_fraction", 0.8), ("underflow_fraction", 0.1), ("overflow_fraction", 0),
        ("attention_max_logit", 900), ("update_ratio", 0.05), ("update_ratio", 1e-4), ("update_ratio", 0),
        ("activation_std", 3), ("gradient_l2_norm", 1e-3), ("weight_spectral_norm", 9),
    ])
    func `a normal value never does`(metric: String, value: Double) {
        var run = TestRun()
        for step in 0..<100 { run.post(step, metric, value) }
        #expect(run.report.alerts.isEmpty)
    }

    @Test func `a share that falls recovers`() {
        var run = TestRun()
        for step in 0..<100 { run.post(step, "dead_fraction", 0.97 - 0.0015 * Double(step)) }
        #expect(run.report.alerts.isEmpty)
    }

    @Test func `a gradient that explodes is a warning at once and critical at the third time`() throws {
        var run = TestRun()
        for step in 0..<30 { run.post(step, "gradient_l2_norm", step % 2 == 0 ? 1 : 1.1) }
        let first = try #require(run.post(30, "gradient_l2_norm", 100).alerts.first)
        #expect(TestRun.name(first) == "exploding_gradient a warning" && first.escalatedStep == nil)
        run.post(31, "gradient_l2_norm", 1_000)
        let second = try #require(run.post(32, "gradient_l2_norm", 10_000).alerts.first)
        #expect(TestRun.name(second) == "exploding_gradient a critical")
        #expect((second.firstStep, second.openedStep, second.escalatedStep) == (30, 30, 32))
        #expect(second.id == first.id)
    }

    @Test(arguments: [1.05, 1.2, 2])
    func `a gradient that grows by the same factor in each report explodes`(factor: Double) throws {
        var run = TestRun()
        for step in 0..<100 { run.post(step, "gradient_l2_norm", step % 2 == 0 ? 1 : 1.1) }
        var value = 1.1
        for step in 100..<400 where value < 1e12 {
            value *= factor
            run.post(step, "gradient_l2_norm", value)
        }
        let alert = try #require(run.report.alerts.first)
        #expect(run.open == ["exploding_gradient a critical"])
        #expect(try #require(alert.firstStep) >= 100 && alert.worstValue == value)
        // The norm goes back to what it was: the alert ends.
        for step in 400..<411 { run.post(step, "gradient_l2_norm", 1) }
        #expect(run.open.isEmpty)
    }

    @Test func `a gradient that stays a hundred times larger after a slow rise does not explode`() {
        var run = TestRun()
        var value = 0.01
        for step in 0..<30 { run.post(step, "gradient_l2_norm", value) }
        for step in 30..<130 {
            value *= 1.047
            run.post(step, "gradient_l2_norm", value)
        }
        for step in 130..<300 { run.post(step, "gradient_l2_norm", step % 2 == 0 ? 1 : 1.5) }
        #expect(run.report.alerts.isEmpty)
    }

    @Test func `a gradient that grows slowly does not explode`() {
        var run = TestRun()
        for step in 0..<200 { run.post(step, "gradient_l2_norm", 1e-3 * Double(step + 1)) }
        #expect(run.report.alerts.isEmpty)
    }

    @Test func `a gradient of 0 is critical after ten reports, unless the layer is frozen on purpose`() {
        for isTrainable in [true, false] {
            var run = TestRun()
            for step in 0..<12 {
                run.post(
                    #"{"step":\#(step),"layers":[{"id":"a","trainable":\#(isTrainable)}],"#
                        + #""metrics":{"gradient_l2_norm":[0]}}"#)
                #expect(run.open.isEmpty == (step < 9 || !isTrainable))
            }
        }
    }

    @Test func `a small gradient vanishes only beside larger ones and while the loss is high`() {
        func run(other: Double, loss: Double) -> TestRun {
            var run = TestRun()
            run.post(#"{"step":0,"scalars":{"loss":1}}"#)
            for step in 1..<6 {
                run.post(
                    #"{"step":\#(step),"scalars":{"loss":\#(loss)},"layers":[{"id":"a","parameters":100},"b","c"],"#
                        + #""metrics":{"gradient_l2_norm":[1e-9,\#(other),\#(other)]}}"#)
            }
            return run
        }
        #expect(run(other: 1, loss: 1).open == ["vanishing_gradient a warning"])
        #expect(run(other: 1e-8, loss: 1).open.isEmpty)
        #expect(run(other: 1, loss: 0.005).open.isEmpty)
    }

    @Test func `weights that stand still are frozen only while they should move`() {
        func run(_ change: Double, gradient: Double = 1, lr: Double? = nil, digits: String = "0.12345678") -> TestRun {
            var run = TestRun()
            for step in 0..<12 {
                let value = change == 0 ? digits : "\(0.5 + change * Double(step))"
                let rate = lr.map { #""lr":\#($0)"# } ?? ""
                run.post(
                    #"{"step":\#(step),"scalars":{\#(rate)},"layers":["a"],"#
                        + #""metrics":{"gradient_l2_norm":[\#(gradient)],"weight_std":[\#(value)]}}"#)
            }
            return run
        }
        #expect(run(0).open == ["frozen_layer a warning"])
        #expect(run(0, lr: 0.1, digits: "0.5").open == ["frozen_layer a warning"])
        #expect(run(1e-6).open.isEmpty)
        #expect(run(0, lr: 0).open.isEmpty)
        // Six digits do not show small updates.
        #expect(run(0, digits: "0.123456").open.isEmpty)
        #expect(!run(0, gradient: 0).open.contains("frozen_layer a warning"))
    }

    @Test func `an update is judged against the schedule of the learning rate`() {
        var run = TestRun()
        for step in 0..<40 {
            let rate = 0.1 * Double(40 - step) / 40
            run.post(step, "update_ratio", 0.01 * rate / 0.1, scalars: #""lr":\#(rate)"#)
        }
        #expect(run.report.alerts.isEmpty)
        for step in 40..<60 { run.post(step, "update_ratio", 0.01, scalars: #""lr":0.001"#) }
        #expect(run.open == ["update_ratio a critical"])
    }

    @Test func `a normalisation layer has no update ratio`() {
        var run = TestRun()
        for step in 0..<30 {
            run.post(
                #"{"step":\#(step),"layers":[{"id":"a","type":"LayerNorm"}],"metrics":{"update_ratio":[0.9]}}"#)
        }
        #expect(run.open.isEmpty)
    }

    @Test func `activations that grow a hundredfold drift`() {
        var run = TestRun()
        for step in 0..<30 { run.post(step, "activation_std", 1 + 0.1 * Double(step % 3)) }
        for step in 30..<33 { run.post(step, "activation_std", 100) }
        #expect(run.open == ["activation_drift a critical"])
    }

    @Test func `weights that grow tenfold are seen from report 20 on`() {
        var run = TestRun()
        for step in 0..<20 { run.post(step, "weight_spectral_norm", 1) }
        run.post(20, "weight_spectral_norm", 11)
        #expect(run.open == ["spectral_growth a warning"])
        run.post(21, "weight_spectral_norm", 31)
        #expect(run.open == ["spectral_growth a critical"])
    }

    @Test func `a spectral norm above the Frobenius norm is the reporter's fault`() {
        var run = TestRun()
        run.post(
            #"{"step":0,"layers":["a","b"],"metrics":{"weight_spectral_norm":[1.01,1],"weight_frobenius_norm":[1,1]}}"#)
        #expect(run.open == ["inconsistent_report a warning"])
    }

    @Test func `logits are compared with their own minimum`() {
        var run = TestRun()
        for step in 0..<60 { run.post(step, "attention_max_logit", 60) }
        #expect(run.report.alerts.isEmpty)
        for step in 60..<63 { run.post(step, "attention_max_logit", 130) }
        #expect(run.open == ["attention_logits a warning"])
        // While they stay above 1 000 the alert stays open, even when the minimum of the last 50 has followed.
        for step in 63..<200 { run.post(step, "attention_max_logit", 1_500) }
        #expect(run.open == ["attention_logits a critical"] && run.report.alerts.count == 1)
    }

    @Test func `attention that looks at one position collapses`() {
        var run = TestRun()
        run.post(0, "attention_entropy", 3)
        for step in 1..<4 { run.post(step, "attention_entropy", 0.3) }
        #expect(run.open == ["entropy_collapse a warning"])
        for step in 4..<7 { run.post(step, "attention_entropy", 0.03) }
        #expect(run.open == ["entropy_collapse a critical"])
    }

    @Test(
        arguments: [
            ("[0.25,0.25,0.25,0.25]", 60, nil), ("[0.85,0.05,0.05,0.05]", 10, "router_collapse h/mlp warning"),
            ("[0.97,0.01,0.01,0.01]", 5, "router_collapse h/mlp critical"),
            ("[0.4,0.3,0.3,0]", 20, "router_collapse h/mlp warning"),
        ] as [(String, Int, String?)])
    func `the load of a router is judged by its deviation and its poorest expert`(
        load: String, duration: Int, expected: String?
    ) {
        var run = TestRun()
        for step in 0..<duration {
            #expect(run.open.isEmpty)
            run.post(
                #"{"step":\#(step),"layers":["h.mlp"],"metrics":{"activation_std":[1]},"#
                    + #""vectors":{"router_load":{"h.mlp":\#(load)}}}"#)
        }
        #expect(run.open == (expected.map { [$0] } ?? []))
    }

    @Test func `magnitudes near the end of half precision overflow where the run uses it`() {
        for isHalf in [true, false] {
            var run = TestRun()
            run.context.isHalfPrecision = isHalf
            run.post(0, "activation_max_abs", 40_000)
            #expect(run.open == (isHalf ? ["overflow a warning"] : []))
            run.post(1, "activation_max_abs", 65_000)
            #expect(run.open == (isHalf ? ["overflow a critical"] : []))
        }
    }
}
