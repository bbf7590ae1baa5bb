import Glibc
import MonitorCore

/// The thresholds of a value that explodes, of its logarithm against the mean before.
struct ExplosionLimits: Sendable {
    var weakScore: Double
    var weakFactor: Double
    var strongScore: Double
    var strongFactor: Double
}

/// What is known of a value that may explode.
struct ExplosionState: Sendable {
    fileprivate(set) var baseline = Baseline()
    private var early = EarlyMedian()
    private var firstValue = 0.0
    private var previous = Double.nan
    /// At most `warmUp`.
    private var reports = 0
    private(set) var weak = RecentReports()
    private(set) var strong = RecentReports()

    /// The number of reports before the mean is known well enough.
    static let warmUp = 20
    private static let floor = 0.3

    /// Notes a finite value that is not negative.
    ///
    /// A value counts above the mean only if it is also above twice the median of the first ten. In the first 20 reports
    /// more than 1 000 times the first value above 0 is strong, unless the report before was 0.
    ///
    /// - Returns: whether it is abnormal, and whether strongly.
    mutating func note(
        _ value: Double, logarithm: Double, _ limits: ExplosionLimits
    ) -> (isWeak: Bool, isStrong: Bool) {
        var (isWeak, isStrong) = (false, false)
        if value > 0 {
            if baseline.count >= Self.warmUp, value > 2 * (early.median ?? .infinity) {
                let score = baseline.score(logarithm, floor: Self.floor)
                let factor = logarithm - baseline.mean
                isStrong = score > limits.strongScore && factor > log(limits.strongFactor)
                isWeak = isStrong || (score > limits.weakScore && factor > log(limits.weakFactor))
            } else if reports < Self.warmUp, firstValue > 0, value > 1_000 * firstValue, previous != 0 {
                (isWeak, isStrong) = (true, true)
            }
            if firstValue == 0 { firstValue = value }
            early.note(value)
            baseline.add(logarithm, floor: Self.floor)
        }
        previous = value
        if reports < Self.warmUp { reports += 1 }
        weak.note(isWeak)
        strong.note(isStrong)
        return (isWeak, isStrong)
    }

    /// Whether no report of the last ten was abnormal.
    var isResting: Bool { weak.count == 0 && strong.count == 0 }

    /// Notes a positive finite value, if it is clean: if its score is below all limits.
    ///
    /// - Returns: whether it is. If not, or in the first reports, nothing is noted.
    @inline(__always)
    fileprivate mutating func noteClean(_ value: Double, logarithm: Double, limit: Double) -> Bool {
        guard baseline.count >= Self.warmUp, !baseline.isScore(logarithm, above: limit, floor: Self.floor) else {
            return false
        }
        baseline.add(logarithm, floor: Self.floor)
        previous = value
        return true
    }
}

/// The gradient of a layer is far above what it was. z is the distance of ln `gradient_l2_norm` from its exponential
/// mean in deviations, which count as at least 0.3, after 20 reports.
///
/// Weak: z > 5 and 10 times the mean; strong: z > 6 and 20 times; see `ExplosionState.note` for the first reports.
/// Warning: 1 strong, or 3 weak of 10; critical: 3 strong of 10. Source: ZClip (arXiv 2504.02507).
struct ExplodingGradient: LayerRule {
    static let id = RuleID.explodingGradient
    static let inputNames = [Metric.gradientNorm.name]
    static let warmUp = ExplosionState.warmUp
    static let parameters: [RuleParameter<ExplodingGradient>] = [
        .number("weak_score", \.limits.weakScore), .number("weak_factor", \.limits.weakFactor),
        .number("strong_score", \.limits.strongScore), .number("strong_factor", \.limits.strongFactor),
        .reports("weak_of_ten", \.weakOfTen), .reports("strong_of_ten", \.strongOfTen),
    ]
    static let start = ExplosionState()
    var isEnabled = true
    var limits = ExplosionLimits(weakScore: 5, weakFactor: 10, strongScore: 6, strongFactor: 20)
    var weakOfTen = 3
    var strongOfTen = 3

    static func reads(_ columns: StepColumns, _ run: RunState) -> Bool { columns.has(.gradientNorm) }

    static func isResting(_ state: ExplosionState) -> Bool { state.isResting }

    struct Screen: LayerScreen {
        fileprivate let norms: Column
        fileprivate let logarithms: Column
        fileprivate let limit: Double

        @inline(__always)
        func judge(
            _ position: Int, _ numbers: Span<Double>, _ logarithms: Span<Double>, _ layers: Span<LayerFacts>,
            _ number: Int,
            _ state: inout ExplosionState
        ) -> Screened {
            let norm = norms.value(position, in: numbers)
            guard norm.isPositiveFinite else { return norm == 0 ? .unclear : .noReport }
            let logarithm = self.logarithms.value(position, in: logarithms)
            return state.noteClean(norm, logarithm: logarithm, limit: limit) ? .clean : .unclear
        }
    }

    static func screen(_ rules: [ExplodingGradient], _ values: StepValues, _ run: RunState) -> Screen? {
        guard let norms = values.column(.gradientNorm), !run.isSkipped else { return nil }
        return Screen(
            norms: norms, logarithms: values.gradientLogarithms,
            limit: rules.least { min($0.limits.weakScore, $0.limits.strongScore) })
    }

    func judge(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: inout ExplosionState
    ) -> Judgement? {
        let norm = values.value(.gradientNorm, position)
        guard norm.isFinite, norm >= 0, !run.isSkipped else { return nil }
        let (isWeak, isStrong) = state.note(
            norm, logarithm: values.gradientLogarithms.value(position, in: values.logarithms.span), limits)
        return Judgement(
            isWarning: isStrong || (isWeak && state.weak.count >= weakOfTen),
            isCritical: isStrong && state.strong.count >= strongOfTen, isAbnormal: isWeak)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: ExplosionState,
        _ level: AlertLevel
    ) -> Finding {
        let mean = exp(state.baseline.mean)
        let factor = level == .critical ? limits.strongFactor : limits.weakFactor
        return Finding(
            metric: Metric.gradientNorm.name, value: values.value(.gradientNorm, position), comparison: .above,
            threshold: [factor * mean], baseline: mean, inputs: values.inputs([.gradientNorm], position))
    }
}
