import Glibc
import MonitorCore

/// The weights of a layer do not change although it has a gradient.
///
/// `update_ratio` is 0 for 10 reports; where it is not posted, all posted statistics of weights and biases are
/// identical for 10 reports while the learning rate is at least 0.01 of its largest value (unknown: only where the
/// values have more than six significant digits). Both only while the gradient's norm and the learning rate are above
/// 0, and its root mean square, where it is known, is at least 1e-7: smaller updates vanish in the digits of the
/// weights.
struct FrozenLayer: LayerRule {
    static let id = RuleID.frozenLayer
    static let inputNames = [Metric.updateRatio.name, Metric.gradientNorm.name, "lr"]
    static let parameters: [RuleParameter<FrozenLayer>] = [
        .reports("warning_for", \.warningFor), .number("least_rate", \.leastRate), .number("least_rms", \.leastRMS),
    ]

    struct State: Sendable {
        fileprivate var streak = Streak()
        /// The first posted statistic, and the fingerprint of all where that did not change.
        fileprivate var first = MissingValue.number
        fileprivate var statistics: UInt64 = 0
    }
    static let start = State()
    var isEnabled = true
    var warningFor = 10
    /// The share of the largest learning rate below which weights may stand still to the digits that are posted.
    var leastRate = 0.01
    /// The root mean square of the gradient below which updates are too small to change the weights.
    var leastRMS = 1e-7

    static func reads(_ columns: StepColumns) -> Bool {
        columns.has(.gradientNorm) && (columns.has(.updateRatio) || Metric.weights.contains { columns.has($0) })
    }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout State
    ) -> Judgement? {
        let norm = inputs[.gradientNorm]
        guard norm.isFinite, !run.isSkipped else { return nil }
        let ratio = inputs[.updateRatio]
        let isFrozen: Bool
        if ratio.isFinite {
            isFrozen = ratio == 0 && isTraining(layer, inputs, run)
        } else {
            guard let first = Self.firstStatistic(inputs) else { return nil }
            var isSame = false
            if first.bitPattern == state.first.bitPattern {
                let statistics = Self.statistics(inputs)
                isSame = statistics == state.statistics || state.statistics == 0
                state.statistics = statistics
            } else {
                state.first = first
                state.statistics = 0
            }
            isFrozen =
                isSame && isTraining(layer, inputs, run) && isPrecise(inputs, run)
        }
        return Judgement(isWarning: state.streak.note(isFrozen, for: warningFor), isAbnormal: isFrozen)
    }

    /// Whether the optimizer should change the weights.
    private func isTraining(_ layer: LayerFacts, _ inputs: LayerInputs, _ run: RunState) -> Bool {
        guard inputs[.gradientNorm] > 0, run.learningRate.map({ $0 > 0 }) ?? true else { return false }
        return inputs.gradientRMS(layer).map { $0 >= leastRMS } ?? true
    }

    /// Whether a change of the weights would show in the statistics.
    private func isPrecise(_ inputs: LayerInputs, _ run: RunState) -> Bool {
        if let rate = run.learningRate { return rate >= leastRate * run.largestLearningRate }
        return Metric.weights.contains { Self.hasManyDigits(inputs[$0]) }
    }

    /// Whether a number has more than six significant digits.
    private static func hasManyDigits(_ value: Double) -> Bool {
        guard value.isFinite, value != 0 else { return false }
        let scaled = abs(value) * pow(10, 5 - floor(log10(abs(value))))
        return abs(scaled - scaled.rounded()) > 1e-6
    }

    /// The first posted statistic of weights and biases; `nil` if there is none.
    private static func firstStatistic(_ inputs: LayerInputs) -> Double? {
        for metric in Metric.weights {
            let value = inputs[metric]
            if !MissingValue.isMissing(value) { return value }
        }
        return nil
    }

    /// A fingerprint of all posted statistics of weights and biases; never 0.
    private static func statistics(_ inputs: LayerInputs) -> UInt64 {
        var mixed: UInt64 = 0xCBF2_9CE4_8422_2325
        for metric in Metric.weights {
            let bits = inputs[metric].bitPattern
            // FNV-1a over whole numbers: enough to tell neighbouring reports of one layer apart.
            mixed = (mixed ^ bits ^ bits >> 29) &* 0x0000_0100_0000_01B3
        }
        return mixed | 1
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel
    ) -> Finding {
        let ratio = values.value(.updateRatio, position)
        let isPosted = ratio.isFinite
        let metric = isPosted ? Metric.updateRatio : Metric.weights.first { values.columns.has($0) } ?? .weightStd
        var inputs = values.inputs([metric, .gradientNorm], position)
        if let rate = run.learningRate { inputs.append(Alert.Input(name: "lr", value: rate)) }
        return Finding(
            metric: metric.name, value: values.value(metric, position), comparison: .equal,
            threshold: isPosted ? [0] : [], inputs: inputs,
            inputsMissing: (isPosted ? [] : [Metric.updateRatio.name]) + (run.learningRate == nil ? ["lr"] : []))
    }
}

/// The optimizer changes the weights of a layer too much or too little.
///
/// n is `update_ratio` times the largest learning rate over the present one (`update_ratio` where it is unknown).
/// Warning: n outside 1e-5 to 0.1 for 20 reports; critical: outside 1e-7 to 0.3 for 10. Not judged: learning rates
/// below 0.001 of the largest, normalisation layers, exact 0. Healthy values: 5e-5 to 0.07. Source: Karpathy,
/// "makemore" part 3, whose guide is 1e-3.
struct UpdateRatio: LayerRule {
    static let id = RuleID.updateRatio
    static let inputNames = [Metric.updateRatio.name, "lr"]
    static let parameters: [RuleParameter<UpdateRatio>] = [
        .number("warning_low", \.warningLow), .number("warning_high", \.warningHigh),
        .reports("warning_for", \.warningFor), .number("critical_low", \.criticalLow),
        .number("critical_high", \.criticalHigh), .reports("critical_for", \.criticalFor),
        .number("least_rate", \.leastRate),
    ]

    struct State: Sendable {
        fileprivate var warning = Streak()
        fileprivate var critical = Streak()
    }
    static let start = State()
    var isEnabled = true
    var warningLow = 1e-5
    var warningHigh = 0.1
    var warningFor = 20
    var criticalLow = 1e-7
    var criticalHigh = 0.3
    var criticalFor = 10
    var leastRate = 0.001

    static func reads(_ columns: StepColumns) -> Bool { columns.has(.updateRatio) }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout State
    ) -> Judgement? {
        let ratio = inputs[.updateRatio]
        guard ratio.isFinite, ratio > 0, !layer.isNormalisation, !run.isSkipped,
            let factor = run.rateFactor(least: leastRate)
        else { return nil }
        let normalised = ratio * factor
        let isAbnormal = normalised < warningLow || normalised > warningHigh
        let isExtreme = normalised < criticalLow || normalised > criticalHigh
        return Judgement(
            isWarning: state.warning.note(isAbnormal, for: warningFor),
            isCritical: state.critical.note(isExtreme, for: criticalFor), isAbnormal: isAbnormal || isExtreme)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel
    ) -> Finding {
        let ratio = values.value(.updateRatio, position)
        var inputs = values.inputs([.updateRatio], position)
        if let rate = run.learningRate { inputs.append(Alert.Input(name: "lr", value: rate)) }
        return Finding(
            metric: Metric.updateRatio.name, value: ratio * (run.rateFactor(least: leastRate) ?? 1),
            comparison: .outside,
            threshold: level == .critical ? [criticalLow, criticalHigh] : [warningLow, warningHigh], inputs: inputs,
            inputsMissing: run.learningRate == nil ? ["lr"] : [])
    }
}

/// The spectral norm of a matrix grows: over its value at report 20, more than 10 times a warning, 30 times critical.
///
/// Source: Zhai et al. 2023, "Stabilizing Transformer Training by Preventing Attention Entropy Collapse" (arXiv
/// 2303.06296).
struct SpectralGrowth: LayerRule {
    static let id = RuleID.spectralGrowth
    static let inputNames = [Metric.weightSpectralNorm.name]
    static let warmUp = 20
    static let parameters: [RuleParameter<SpectralGrowth>] = [
        .number("warning", \.warning), .number("critical", \.critical),
    ]

    struct State: Sendable {
        fileprivate var reports = 0
        fileprivate var base = 0.0
    }
    static let start = State()
    var isEnabled = true
    var warning = 10.0
    var critical = 30.0

    static func reads(_ columns: StepColumns) -> Bool { columns.has(.weightSpectralNorm) }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout State
    ) -> Judgement? {
        let norm = inputs[.weightSpectralNorm]
        guard norm.isFinite else { return nil }
        state.reports += 1
        if state.base == 0 {
            if state.reports >= Self.warmUp, norm > 0 { state.base = norm }
            return .clean
        }
        return Judgement(
            isWarning: norm > warning * state.base, isCritical: norm > critical * state.base,
            isAbnormal: norm > warning * state.base)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel
    ) -> Finding {
        Finding(
            metric: Metric.weightSpectralNorm.name, value: values.value(.weightSpectralNorm, position),
            comparison: .above, threshold: [(level == .critical ? critical : warning) * state.base],
            baseline: state.base, inputs: values.inputs([.weightSpectralNorm], position))
    }
}

/// The reporter is wrong: a matrix's spectral norm cannot pass its Frobenius norm. The tolerance is 1e-3.
struct InconsistentReport: LayerRule {
    static let id = RuleID.inconsistentReport
    static let inputNames = [Metric.weightSpectralNorm.name, Metric.weightFrobeniusNorm.name]
    static let parameters: [RuleParameter<InconsistentReport>] = [.number("tolerance", \.tolerance)]
    static let start = false
    var isEnabled = true
    var tolerance = 1e-3

    static func reads(_ columns: StepColumns) -> Bool {
        columns.has(.weightSpectralNorm) && columns.has(.weightFrobeniusNorm)
    }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout Bool
    ) -> Judgement? {
        let spectral = inputs[.weightSpectralNorm]
        let frobenius = inputs[.weightFrobeniusNorm]
        guard spectral.isFinite, frobenius.isFinite else { return nil }
        let isWrong = frobenius > 0 && spectral > frobenius * (1 + tolerance)
        return Judgement(isWarning: isWrong, isAbnormal: isWrong)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: Bool, _ level: AlertLevel
    ) -> Finding {
        Finding(
            metric: Metric.weightSpectralNorm.name, value: values.value(.weightSpectralNorm, position),
            comparison: .above, threshold: [values.value(.weightFrobeniusNorm, position) * (1 + tolerance)],
            inputs: values.inputs([.weightSpectralNorm, .weightFrobeniusNorm], position))
    }
}
