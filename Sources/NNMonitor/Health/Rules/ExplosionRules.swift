import MonitorCore

/// The thresholds of a value that explodes.
struct ExplosionLimits: Sendable {
    /// Factors over the largest value so far.
    var weakFactor: Double
    var strongFactor: Double
    /// The factor over the slow reference that is strong.
    var slowFactor: Double

    /// A value that is at most this factor above both references is clean.
    var leastFactor: Double { min(weakFactor, strongFactor, slowFactor) }

    static let usual = ExplosionLimits(weakFactor: 5, strongFactor: 20, slowFactor: 1_000)
}

/// What is known of a value that may explode.
struct ExplosionState: Sendable {
    /// The largest value so far. A value far above it enters as three times it, and it fades by 0.2 % a report, so
    /// that a large value in the beginning does not count for ever.
    private var largest = 0.0
    /// As `largest`, but it grows by at most 2 % a report: a value that grows steadily, by less than a factor from one
    /// report to the next, gets far above it.
    private var slow = 0.0
    /// What the last abnormal value was compared with: `largest` or `slow` before it.
    private(set) var baseline = 0.0
    /// The number of values above 0, up to `warmUp`.
    private var count: UInt8 = 0
    /// Whether that is `slow`.
    private var isSlow = false
    private(set) var weak = RecentReports()
    private(set) var strong = RecentReports()

    /// The number of values above 0 before the largest is known well enough.
    static let warmUp = 20
    private static let fading = 0.998
    private static let mostGrowth = 3.0
    private static let slowGrowth = 1.02
    /// The factor that is strong before that.
    private static let earlyFactor = 1_000.0

    /// What a value means.
    struct Growth {
        /// It may be the beginning of a steady growth.
        var isAbnormal = false
        var isWeak = false
        var isStrong = false
    }

    /// Notes a finite value that is not negative.
    mutating func note(_ value: Double, _ limits: ExplosionLimits) -> Growth {
        var growth = Growth()
        if value > 0 {
            if count >= Self.warmUp {
                growth.isStrong = value > limits.strongFactor * largest || value > limits.slowFactor * slow
                growth.isWeak = growth.isStrong || value > limits.weakFactor * largest
                growth.isAbnormal = growth.isWeak || value > limits.weakFactor * slow
                if growth.isAbnormal {
                    isSlow = value <= limits.weakFactor * largest
                    baseline = isSlow ? slow : largest
                }
                follow(value)
            } else {
                growth.isStrong = largest > 0 && value > Self.earlyFactor * largest
                growth.isWeak = growth.isStrong
                growth.isAbnormal = growth.isStrong
                if growth.isStrong { baseline = largest }
                largest = max(Self.fading * largest, value)
                slow = largest
                count += 1
            }
        }
        weak.note(growth.isWeak)
        strong.note(growth.isStrong)
        return growth
    }

    /// What the last value, which was abnormal, is above.
    func threshold(of value: Double, _ limits: ExplosionLimits) -> Double {
        let strong = (isSlow ? limits.slowFactor : limits.strongFactor) * baseline
        return value > strong ? strong : limits.weakFactor * baseline
    }

    /// Whether no report of the last ten was weak or strong.
    var isResting: Bool { weak.count == 0 && strong.count == 0 }

    /// Notes a positive finite value if it is clean, that is, at most the least factor over the slow reference, which
    /// is never above the largest so far.
    ///
    /// - Returns: whether it is. If not, or in the first reports, nothing is noted.
    @inline(__always)
    fileprivate mutating func noteClean(_ value: Double, factor: Double) -> Bool {
        guard count >= Self.warmUp, value <= factor * slow else { return false }
        follow(value)
        return true
    }

    @inline(__always)
    private mutating func follow(_ value: Double) {
        largest = max(Self.fading * largest, min(value, Self.mostGrowth * largest))
        slow = max(Self.fading * slow, min(value, Self.slowGrowth * slow))
    }
}

/// The gradient of a layer is far above the largest that it had.
///
/// M = max(0.998 M, min(g, 3 M)) for each report with `gradient_l2_norm` g > 0; g itself in the first 20. S is the
/// same with 1.02 instead of 3. Weak: g > 5 M; strong: g > 20 M or g > 1 000 S, in the first 20 reports g > 1 000 M.
/// Warning: 1 strong, or 3 weak of 10; critical: 3 strong of 10. It begins with the first g > 5 S.
///
/// ZClip (arXiv 2504.02507) compares with a mean and its deviation. A network that leaves a plateau passes those
/// while its loss falls, and so does a hard batch long after convergence: in recorded networks that gave 23 false
/// criticals where every 5th or 20th step was reported. Healthy values of g / M are at most 3.8, of sick networks at
/// least 6. Healthy values of g / S are at most 274, of a network whose inputs are not scaled.
struct ExplodingGradient: LayerRule {
    static let id = RuleID.explodingGradient
    static let inputNames = [Metric.gradientNorm.name]
    static let warmUp = ExplosionState.warmUp
    static let parameters: [RuleParameter<ExplodingGradient>] = [
        .number("weak_factor", \.limits.weakFactor), .number("strong_factor", \.limits.strongFactor),
        .number("slow_factor", \.limits.slowFactor), .reports("weak_of_ten", \.weakOfTen),
        .reports("strong_of_ten", \.strongOfTen),
    ]
    static let start = ExplosionState()
    var isEnabled = true
    var limits = ExplosionLimits.usual
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
        return Screen(norms: norms, factor: rules.least(\.limits.leastFactor))
    }

    func judge(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: inout ExplosionState
    ) -> Judgement? {
        let norm = values.value(.gradientNorm, position)
        guard norm.isFinite, norm >= 0, !run.isSkipped else { return nil }
        let growth = state.note(norm, limits)
        return Judgement(
            isWarning: growth.isStrong || (growth.isWeak && state.weak.count >= weakOfTen),
            isCritical: growth.isStrong && state.strong.count >= strongOfTen, isAbnormal: growth.isAbnormal)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: ExplosionState,
        _ level: AlertLevel
    ) -> Finding {
        let norm = values.value(.gradientNorm, position)
        return Finding(
            metric: Metric.gradientNorm.name, value: norm, comparison: .above,
            threshold: [state.threshold(of: norm, limits)],
            baseline: state.baseline, inputs: values.inputs([.gradientNorm], position))
    }
}
