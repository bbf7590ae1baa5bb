import Glibc
import MonitorCore

/// The outputs of a layer no longer differ: `activation_std` is 0, or below 1e-3 of its mean before, for 3 reports.
///
/// The mean is exp of the exponential mean of ln `activation_std`. Source: Lu et al. 2019, "Dying ReLU and
/// Initialization" (arXiv 1903.06733). A deviation that falls for long is normal and no sign of it.
struct DeadLayer: LayerRule {
    static let id = RuleID.deadLayer
    static let inputNames = [Metric.activationStd.name]
    static let parameters: [RuleParameter<DeadLayer>] = [
        .number("critical", \.critical), .reports("critical_for", \.criticalFor),
    ]

    struct State: Sendable {
        fileprivate var baseline = Baseline()
        fileprivate var streak = Streak()
    }
    static let start = State()
    var isEnabled = true
    var critical = 1e-3
    var criticalFor = 3

    static func reads(_ columns: StepColumns) -> Bool { columns.has(.activationStd) }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout State
    ) -> Judgement? {
        let value = inputs[.activationStd]
        guard value.isFinite, value >= 0 else { return nil }
        var isDead = value == 0
        if !isDead {
            let logarithm = inputs.activationLogarithm
            isDead = state.baseline.count > 0 && logarithm < state.baseline.mean + log(critical)
            // The mean stays what it was before.
            if !isDead { state.baseline.add(logarithm, floor: 0.3) }
        }
        return Judgement(isCritical: state.streak.note(isDead, for: criticalFor), isAbnormal: isDead)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel
    ) -> Finding {
        let value = values.value(.activationStd, position)
        let mean = state.baseline.count > 0 ? exp(state.baseline.mean) : MissingValue.number
        return Finding(
            metric: Metric.activationStd.name, value: value, comparison: value == 0 ? .equal : .below,
            threshold: [value == 0 ? 0 : critical * mean], baseline: mean,
            inputs: values.inputs([.activationStd], position))
    }
}

/// The outputs of a layer become larger than ever: ln `activation_std` is 6 deviations above its mean for 3 reports;
/// 12 deviations are critical. The deviation counts as at least 0.3, after 20 reports.
///
/// The mean follows with a weight of 0.1: the outputs of a network's head grow 10 to 35 fold while it begins to learn,
/// and a slower mean lags behind. Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep
/// feedforward neural networks".
struct ActivationDrift: LayerRule {
    static let id = RuleID.activationDrift
    static let inputNames = [Metric.activationStd.name]
    static let warmUp = 20
    static let parameters: [RuleParameter<ActivationDrift>] = [
        .number("warning", \.warning), .reports("warning_for", \.warningFor),
        .number("critical", \.critical), .reports("critical_for", \.criticalFor),
    ]

    struct State: Sendable {
        fileprivate var baseline = Baseline()
        fileprivate var warning = Streak()
        fileprivate var critical = Streak()
    }
    static let start = State()
    private static let floor = 0.3
    private static let leastWeight = 0.1
    var isEnabled = true
    var warning = 6.0
    var warningFor = 3
    var critical = 12.0
    var criticalFor = 3

    static func reads(_ columns: StepColumns) -> Bool { columns.has(.activationStd) }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout State
    ) -> Judgement? {
        let value = inputs[.activationStd]
        guard value.isFinite, value >= 0 else { return nil }
        guard value > 0 else { return .clean }
        let logarithm = inputs.activationLogarithm
        let score =
            state.baseline.count >= Self.warmUp ? state.baseline.score(logarithm, floor: Self.floor) : 0
        state.baseline.add(logarithm, floor: Self.floor, leastWeight: Self.leastWeight)
        return Judgement(
            isWarning: state.warning.note(score > warning, for: warningFor),
            isCritical: state.critical.note(score > critical, for: criticalFor), isAbnormal: score > warning)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel
    ) -> Finding {
        let mean = state.baseline.mean
        let limit = (level == .critical ? critical : warning) * state.baseline.deviation(floor: Self.floor)
        return Finding(
            metric: Metric.activationStd.name, value: values.value(.activationStd, position), comparison: .above,
            threshold: [exp(mean + limit)], baseline: exp(mean), inputs: values.inputs([.activationStd], position))
    }
}
