import MonitorCore

/// A share of units or values that is too large for too long.
protocol FractionRule: LayerRule where State == FractionState {
    /// The share.
    static var metric: Metric { get }
    /// A warning above this share, for this number of reports.
    var warning: Double { get set }
    var warningFor: Int { get set }
    /// Critical above this share, for this number of reports.
    var critical: Double { get set }
    var criticalFor: Int { get set }
    /// During the duration the share may fall by this much at most: a share that falls recovers.
    var mostFall: Double { get }
}

/// The streaks of a share.
struct FractionState: Sendable {
    fileprivate var warning = Streak()
    fileprivate var critical = Streak()
    fileprivate var warningBegin = 0.0
    fileprivate var criticalBegin = 0.0
}

extension FractionRule {
    static var start: FractionState { FractionState() }
    static var inputNames: [String] { [metric.name] }
    static var parameters: [RuleParameter<Self>] {
        [
            .number("warning", \.warning), .reports("warning_for", \.warningFor),
            .number("critical", \.critical), .reports("critical_for", \.criticalFor),
        ]
    }
    var mostFall: Double { .infinity }

    static func reads(_ columns: StepColumns) -> Bool { columns.has(metric) }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout FractionState
    ) -> Judgement? {
        let share = inputs[Self.metric]
        guard share.isFinite else { return nil }
        let isWarning = Self.note(share, above: warning, for: warningFor, mostFall, &state.warning, &state.warningBegin)
        let isCritical = Self.note(
            share, above: critical, for: criticalFor, mostFall, &state.critical, &state.criticalBegin)
        return Judgement(isWarning: isWarning, isCritical: isCritical, isAbnormal: share > warning || share > critical)
    }

    private static func note(
        _ share: Double, above limit: Double, for duration: Int, _ mostFall: Double, _ streak: inout Streak,
        _ begin: inout Double
    ) -> Bool {
        if share > limit, streak.count == 0 { begin = share }
        guard streak.note(share > limit, for: duration) else { return false }
        if share >= begin - mostFall { return true }
        // It recovers: what follows is another streak.
        streak = Streak()
        begin = share
        _ = streak.note(true, for: duration)
        return false
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: FractionState,
        _ level: AlertLevel
    ) -> Finding {
        Finding(
            metric: Self.metric.name, value: values.value(Self.metric, position), comparison: .above,
            threshold: [level == .critical ? critical : warning], inputs: values.inputs([Self.metric], position))
    }
}

/// Units that give 0 for the whole batch: above 0.8 for 20 reports a warning, above 0.98 for 10 critical.
///
/// At the end of the duration the share must not be more than 0.02 below its beginning. Shares of 0.75 are seen in
/// healthy networks. Source: Lu et al. 2019, "Dying ReLU and Initialization" (arXiv 1903.06733).
struct DeadUnits: FractionRule {
    static let id = RuleID.deadUnits
    static let metric = Metric.deadFraction
    var isEnabled = true
    var warning = 0.8
    var warningFor = 20
    var critical = 0.98
    var criticalFor = 10
    let mostFall = 0.02
}

/// Outputs near the end of the activation's range: above 0.8 for 20 reports a warning, above 0.98 for 10 critical.
///
/// Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".
struct Saturation: FractionRule {
    static let id = RuleID.saturation
    static let metric = Metric.saturatedFraction
    var isEnabled = true
    var warning = 0.8
    var warningFor = 20
    var critical = 0.98
    var criticalFor = 10
}

/// Values that are too small for the number format: above 0.1 for 3 reports a warning, above 0.5 for 3 critical.
///
/// Source: Micikevicius et al. 2018, "Mixed Precision Training" (arXiv 1710.03740).
struct Underflow: FractionRule {
    static let id = RuleID.underflow
    static let metric = Metric.underflowFraction
    var isEnabled = true
    var warning = 0.1
    var warningFor = 3
    var critical = 0.5
    var criticalFor = 3
}

/// Values that are too large for the number format: a share above 0 a warning, above 0.001 critical. Where the run
/// trains in half precision, also a largest activation or gradient above half of 65 504, or 0.95 of it.
struct Overflow: LayerRule {
    static let id = RuleID.overflow
    static let inputNames = [Metric.overflowFraction.name, Metric.activationMaxAbs.name, Metric.gradientMaxAbs.name]
    static let parameters: [RuleParameter<Overflow>] = [
        .number("warning", \.warning), .number("critical", \.critical),
        .number("warning_of_largest", \.warningOfLargest), .number("critical_of_largest", \.criticalOfLargest),
    ]
    static let start = false
    /// The largest finite number of half precision (IEEE 754, binary16).
    private static let largest = 65_504.0
    private static let magnitudes = [Metric.activationMaxAbs, .gradientMaxAbs]
    var isEnabled = true
    var warning = 0.0
    var critical = 0.001
    var warningOfLargest = 0.5
    var criticalOfLargest = 0.95

    static func reads(_ columns: StepColumns) -> Bool {
        columns.has(.overflowFraction) || columns.has(.activationMaxAbs) || columns.has(.gradientMaxAbs)
    }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout Bool
    ) -> Judgement? {
        let share = inputs[.overflowFraction]
        guard share.isFinite || run.isHalfPrecision else { return nil }
        var (isWarning, isCritical) = (share > warning, share > critical)
        if run.isHalfPrecision {
            for metric in Self.magnitudes {
                let value = inputs[metric]
                guard value.isFinite, metric != .gradientMaxAbs || !run.isSkipped else { continue }
                if value > warningOfLargest * Self.largest { isWarning = true }
                if value > criticalOfLargest * Self.largest { isCritical = true }
            }
        }
        return Judgement(isWarning: isWarning, isCritical: isCritical, isAbnormal: isWarning || isCritical)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: Bool, _ level: AlertLevel
    ) -> Finding {
        let isCritical = level == .critical
        let share = values.value(.overflowFraction, position)
        let inputs = values.inputs([.overflowFraction] + Self.magnitudes, position)
        if share > (isCritical ? critical : warning) {
            return Finding(
                metric: Metric.overflowFraction.name, value: share, comparison: .above,
                threshold: [isCritical ? critical : warning], inputs: inputs)
        }
        let largest = Self.magnitudes.max { first, second in
            let (first, second) = (values.value(first, position), values.value(second, position))
            return (first.isFinite ? first : 0) < (second.isFinite ? second : 0)
        }
        let metric = largest ?? .activationMaxAbs
        return Finding(
            metric: metric.name, value: values.value(metric, position), comparison: .above,
            threshold: [(isCritical ? criticalOfLargest : warningOfLargest) * Self.largest], inputs: inputs)
    }
}
