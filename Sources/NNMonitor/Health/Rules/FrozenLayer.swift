import Glibc
import MonitorCore

/// The weights of a layer do not change although it has a gradient.
///
/// `update_ratio` is 0 for 10 reports while that of another layer is not (a schedule may end at a learning rate of 0);
/// where it is not posted, all posted statistics of weights and biases are identical for 10 reports while the learning
/// rate is at least 0.01 of its largest value (unknown: only where the values have more than six significant digits).
/// Both only while the gradient's norm and the learning rate are above 0, and its root mean square, where it is known,
/// is at least 1e-7: smaller updates vanish in the digits of the weights.
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

        /// Notes the first posted statistic if it differs from that of the report before.
        ///
        /// - Returns: whether it does.
        @inline(__always)
        fileprivate mutating func noteChange(of first: Double) -> Bool {
            if first.bitPattern == self.first.bitPattern { return false }
            self.first = first
            statistics = 0
            return true
        }
    }
    static let start = State()
    var isEnabled = true
    var warningFor = 10
    /// The share of the largest learning rate below which weights may stand still to the digits that are posted.
    var leastRate = 0.01
    /// The root mean square of the gradient below which updates are too small to change the weights.
    var leastRMS = 1e-7

    static func reads(_ columns: StepColumns, _ run: RunState) -> Bool {
        columns.has(.gradientNorm) && (columns.has(.updateRatio) || Metric.weights.contains { columns.has($0) })
    }

    static func isResting(_ state: State) -> Bool { !state.streak.isRunning }

    struct Screen: LayerScreen {
        fileprivate let norms: Column
        fileprivate let ratios: Column?
        /// The first posted statistic, of layers that have it.
        fileprivate let statistics: Column?

        @inline(__always)
        func judge(
            _ position: Int, _ numbers: Span<Double>, _ logarithms: Span<Double>, _ layers: Span<LayerFacts>,
            _ number: Int,
            _ state: inout State
        ) -> Screened {
            let norm = norms.value(position, in: numbers)
            guard norm.isPositiveFinite else { return norm.isFinite ? .unclear : .noReport }
            if let ratio = ratios?.value(position, in: numbers), ratio.isFinite {
                return ratio == 0 ? .unclear : .clean
            }
            guard let first = statistics?.value(position, in: numbers), !first.isNaN else { return .unclear }
            return state.noteChange(of: first) ? .clean : .unclear
        }
    }

    static func screen(_ rules: [FrozenLayer], _ values: StepValues, _ run: RunState) -> Screen? {
        guard let norms = values.column(.gradientNorm), !run.isSkipped else { return nil }
        return Screen(
            norms: norms, ratios: values.column(.updateRatio),
            statistics: Metric.weights.lazy.compactMap { values.column($0) }.first)
    }

    func judge(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: inout State
    ) -> Judgement? {
        let norm = values.value(.gradientNorm, position)
        guard norm.isFinite, !run.isSkipped else { return nil }
        let ratio = values.value(.updateRatio, position)
        let isFrozen: Bool
        if ratio.isFinite {
            isFrozen = ratio == 0 && values.hasUpdates && isTraining(layer, position, values, run)
        } else {
            guard let first = Self.firstStatistic(position, values) else { return nil }
            var isSame = false
            if !state.noteChange(of: first) {
                let statistics = Self.statistics(position, values)
                isSame = statistics == state.statistics || state.statistics == 0
                state.statistics = statistics
            }
            isFrozen =
                isSame && isTraining(layer, position, values, run) && isPrecise(position, values, run)
        }
        return Judgement(isWarning: state.streak.note(isFrozen, for: warningFor), isAbnormal: isFrozen)
    }

    /// Whether the optimizer should change the weights.
    private func isTraining(_ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState) -> Bool {
        guard values.value(.gradientNorm, position) > 0, run.learningRate.map({ $0 > 0 }) ?? true else { return false }
        return values.gradientRMS(layer, position).map { $0 >= leastRMS } ?? true
    }

    /// Whether a change of the weights would show in the statistics.
    private func isPrecise(_ position: Int, _ values: StepValues, _ run: RunState) -> Bool {
        if let rate = run.learningRate { return rate >= leastRate * run.largestLearningRate }
        return Metric.weights.contains { Self.hasManyDigits(values.value($0, position)) }
    }

    /// Whether a number has more than six significant digits.
    private static func hasManyDigits(_ value: Double) -> Bool {
        guard value.isFinite, value != 0 else { return false }
        let scaled = abs(value) * pow(10, 5 - floor(log10(abs(value))))
        return abs(scaled - scaled.rounded()) > 1e-6
    }

    /// The first posted statistic of weights and biases; `nil` if there is none.
    private static func firstStatistic(_ position: Int, _ values: StepValues) -> Double? {
        for metric in Metric.weights {
            let value = values.value(metric, position)
            if !MissingValue.isMissing(value) { return value }
        }
        return nil
    }

    /// A fingerprint of all posted statistics of weights and biases; never 0.
    private static func statistics(_ position: Int, _ values: StepValues) -> UInt64 {
        var mixed: UInt64 = 0xCBF2_9CE4_8422_2325
        for metric in Metric.weights {
            let bits = values.value(metric, position).bitPattern
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
