import MonitorCore

/// The thresholds of a value that explodes: factors over the largest one so far.
struct ExplosionLimits: Sendable {
    var weakFactor: Double
    var strongFactor: Double
}

/// What is known of a value that may explode.
struct ExplosionState: Sendable {
    /// The largest value so far. A value far above it enters as three times it, and it fades by 0.2 % a report, so
    /// that a large value in the beginning does not count for ever.
    private var largest = 0.0
    /// `largest` before the last value.
    private(set) var baseline = 0.0
    /// The number of values above 0.
    private var count = 0
    private(set) var weak = RecentReports()
    private(set) var strong = RecentReports()

    /// The number of values above 0 before the largest is known well enough.
    static let warmUp = 20
    private static let fading = 0.998
    private static let mostGrowth = 3.0
    /// The factor that is strong before that.
    private static let earlyFactor = 1_000.0

    /// Notes a finite value that is not negative.
    ///
    /// - Returns: whether it is abnormal, and whether strongly.
    mutating func note(_ value: Double, _ limits: ExplosionLimits) -> (isWeak: Bool, isStrong: Bool) {
        var (isWeak, isStrong) = (false, false)
        if value > 0 {
            baseline = largest
            if count >= Self.warmUp {
                isStrong = value > limits.strongFactor * largest
                isWeak = isStrong || value > limits.weakFactor * largest
                follow(value)
            } else {
                isStrong = largest > 0 && value > Self.earlyFactor * largest
                isWeak = isStrong
                largest = max(Self.fading * largest, value)
                count += 1
            }
        }
        weak.note(isWeak)
        strong.note(isStrong)
        return (isWeak, isStrong)
    }

    /// Whether no report of the last ten was abnormal.
    var isResting: Bool { weak.count == 0 && strong.count == 0 }

    /// Notes a positive finite value if it is clean, that is, at most the least factor over the largest so far.
    ///
    /// - Returns: whether it is. If not, or in the first reports, nothing is noted.
    @inline(__always)
    fileprivate mutating func noteClean(_ value: Double, factor: Double) -> Bool {
        guard count >= Self.warmUp, value <= factor * largest else { return false }
        baseline = largest
        follow(value)
        return true
    }

    @inline(__always)
    private mutating func follow(_ value: Double) {
        largest = max(Self.fading * largest, min(value, Self.mostGrowth * largest))
    }
}

/// The gradient of a layer is far above the largest that it had.
///
/// M = max(0.998 M, min(g, 3 M)) for each report with `gradient_l2_norm` g > 0; g itself in the first 20. Weak: g > 5
/// M; strong: g > 20 M, in the first 20 reports g > 1 000 M. Warning: 1 strong, or 3 weak of 10; critical: 3 strong
/// of 10.
///
/// ZClip (arXiv 2504.02507) compares with a mean and its deviation. A network that leaves a plateau passes those
/// while its loss falls, and so does a hard batch long after convergence: in recorded networks that gave 23 false
/// criticals where every 5th or 20th step was reported. Healthy values of g / M are at most 3.8, of sick networks at
/// least 6.
struct ExplodingGradient: LayerRule {
    static let id = RuleID.explodingGradient
    static let inputNames = [Metric.gradientNorm.name]
    static let warmUp = ExplosionState.warmUp
    static let parameters: [RuleParameter<ExplodingGradient>] = [
        .number("weak_factor", \.limits.weakFactor), .number("strong_factor", \.limits.strongFactor),
        .reports("weak_of_ten", \.weakOfTen), .reports("strong_of_ten", \.strongOfTen),
    ]
    static let start = ExplosionState()
    var isEnabled = true
    var limits = ExplosionLimits(weakFactor: 5, strongFactor: 20)
    var weakOfTen = 3
    var strongOfTen = 3

    static func reads(_ columns: StepColumns, _ run: RunState) -> Bool { columns.has(.gradientNorm) }

    static func isResting(_ state: ExplosionState) -> Bool { state.isResting }

    struct Screen: LayerScreen {
        fileprivate let norms: Column
        fileprivate let factor: Double

        @inline(__always)
        func judge(
            _ position: Int, _ numbers: Span<Double>, _ logarithms: Span<Double>, _ layers: Span<LayerFacts>,
            _ number: Int, _ state: inout ExplosionState
        ) -> Screened {
            let norm = norms.value(position, in: numbers)
            guard norm.isPositiveFinite else { return norm == 0 ? .unclear : .noReport }
            return state.noteClean(norm, factor: factor) ? .clean : .unclear
        }
    }

    static func screen(_ rules: [ExplodingGradient], _ values: StepValues, _ run: RunState) -> Screen? {
        guard let norms = values.column(.gradientNorm), !run.isSkipped else { return nil }
        return Screen(norms: norms, factor: rules.least { min($0.limits.weakFactor, $0.limits.strongFactor) })
    }

    func judge(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: inout ExplosionState
    ) -> Judgement? {
        let norm = values.value(.gradientNorm, position)
        guard norm.isFinite, norm >= 0, !run.isSkipped else { return nil }
        let (isWeak, isStrong) = state.note(norm, limits)
        return Judgement(
            isWarning: isStrong || (isWeak && state.weak.count >= weakOfTen),
            isCritical: isStrong && state.strong.count >= strongOfTen, isAbnormal: isWeak)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: ExplosionState,
        _ level: AlertLevel
    ) -> Finding {
        let norm = values.value(.gradientNorm, position)
        let isStrong = norm > limits.strongFactor * state.baseline
        return Finding(
            metric: Metric.gradientNorm.name, value: norm, comparison: .above,
            threshold: [(isStrong ? limits.strongFactor : limits.weakFactor) * state.baseline],
            baseline: state.baseline, inputs: values.inputs([.gradientNorm], position))
    }
}
