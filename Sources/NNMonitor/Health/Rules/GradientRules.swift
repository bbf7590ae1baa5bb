import Glibc
import MonitorCore

extension LayerInputs {
    /// The root mean square of a layer's gradient: its norm over the square root of the number of weights, which is
    /// posted, or F^2 / (s_w^2 + m_w^2) of the Frobenius norm, standard deviation and mean of the weights.
    ///
    /// - Returns: the root mean square; `nil` where the number of weights is unknown.
    func gradientRMS(_ layer: LayerFacts) -> Double? {
        let norm = self[.gradientNorm]
        if let count = layer.parameterCount, count > 0 { return norm / Double(count).squareRoot() }
        let (std, mean, frobenius) = (self[.weightStd], self[.weightMean], self[.weightFrobeniusNorm])
        let count = frobenius * frobenius / (std * std + mean * mean)
        return count.isFinite && count > 0 ? norm / count.squareRoot() : nil
    }
}

extension StepValues {
    /// The median of the gradient norms of the step's layers.
    var medianGradient: Double {
        median.value {
            var norms: [Double] = []
            norms.reserveCapacity(record.layerCount)
            for layer in 0..<record.layerCount {
                let norm = value(.gradientNorm, layer)
                if norm.isFinite, norm > 0 { norms.append(norm) }
            }
            return norms.isEmpty ? 0 : Self.median(of: &norms)
        }
    }
}

extension StepValues {
    /// The median of some numbers, which are reordered (Hoare's selection: about three passes).
    static func median(of numbers: inout [Double]) -> Double {
        let middle = numbers.count / 2
        var (low, high) = (0, numbers.count - 1)
        while low < high {
            let pivot = numbers[(low + high) / 2]
            var (left, right) = (low, high)
            while left <= right {
                while numbers[left] < pivot { left += 1 }
                while numbers[right] > pivot { right -= 1 }
                if left <= right {
                    numbers.swapAt(left, right)
                    left += 1
                    right -= 1
                }
            }
            if middle <= right { high = right } else if middle >= left { low = left } else { break }
        }
        return numbers[middle]
    }
}

/// The gradient of a layer is too small to train it.
///
/// Warning: rms < 1e-7 and the norm below 1e-3 of that of the run's median layer, for 3 reports, while the loss is
/// above 1 % of its first value; or rms < 1e-12 for 3. Critical: the norm is 0 for 10 reports while the parameters
/// train. Small gradients at a converged loss are healthy, and so is a 0 in the first report of a layer that begins
/// with zeros. Source: Wortsman et al. 2023, "Small-scale proxies for large-scale Transformer training instabilities"
/// (arXiv 2309.14322).
struct VanishingGradient: LayerRule {
    static let id = RuleID.vanishingGradient
    static let inputNames = [
        Metric.gradientNorm.name, Metric.weightStd.name, Metric.weightMean.name, Metric.weightFrobeniusNorm.name,
    ]
    static let parameters: [RuleParameter<VanishingGradient>] = [
        .number("rms", \.rms), .number("of_median", \.ofMedian), .number("least_rms", \.leastRMS),
        .number("least_loss", \.leastLoss), .reports("warning_for", \.warningFor),
        .reports("critical_for", \.criticalFor),
    ]

    struct State: Sendable {
        fileprivate var small = Streak()
        fileprivate var tiny = Streak()
        fileprivate var zero = Streak()
    }
    static let start = State()
    /// The root of a number of weights that no layer has.
    private static let largestRoot = 1e6
    var isEnabled = true
    /// A root mean square below this is small.
    var rms = 1e-7
    /// A norm below this share of the median layer's is small.
    var ofMedian = 1e-3
    /// A root mean square below this is small whatever the other layers have.
    var leastRMS = 1e-12
    /// The share of the first loss below which small gradients are healthy.
    var leastLoss = 0.01
    var warningFor = 3
    var criticalFor = 10

    static func reads(_ columns: StepColumns) -> Bool { columns.has(.gradientNorm) }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout State
    ) -> Judgement? {
        let norm = inputs[.gradientNorm]
        guard norm.isFinite, !run.isSkipped else { return nil }
        // A root mean square is at least the norm over the root of the largest number of weights.
        let mayBeSmall = norm < rms * Self.largestRoot || norm < leastRMS * Self.largestRoot
        let size = mayBeSmall ? inputs.gradientRMS(layer) ?? .infinity : .infinity
        // The median is computed only where it matters.
        let isSmall = size < rms && run.isLossAbove(leastLoss) && norm < ofMedian * values.medianGradient
        let isTiny = size < leastRMS
        let isZero = norm == 0 && layer.isTrainable
        let isWarning = state.small.note(isSmall, for: warningFor)
        return Judgement(
            isWarning: state.tiny.note(isTiny, for: warningFor) || isWarning,
            isCritical: state.zero.note(isZero, for: criticalFor), isAbnormal: isSmall || isTiny || isZero)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel
    ) -> Finding {
        let inputs = values.inputs([.gradientNorm, .weightStd, .weightMean, .weightFrobeniusNorm], position)
        let norm = values.value(.gradientNorm, position)
        if norm == 0 {
            return Finding(
                metric: Metric.gradientNorm.name, value: 0, comparison: .equal, threshold: [0], inputs: inputs)
        }
        return Finding(
            metric: "gradient_rms", value: values.inputs[position].gradientRMS(layer) ?? MissingValue.number,
            comparison: .below, threshold: [rms], baseline: values.medianGradient, inputs: inputs)
    }
}

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
    private var reports = 0
    private(set) var weak = RecentReports()
    private(set) var strong = RecentReports()

    /// The number of reports before the mean is known well enough.
    static let warmUp = 20

    /// Notes a finite value that is not negative.
    ///
    /// A value counts above the mean only if it is also above twice the median of the first ten. In the first 20
    /// reports more than 1 000 times the first value above 0 is strong, unless the report before was 0.
    ///
    /// - Returns: whether it is abnormal, and whether strongly.
    mutating func note(
        _ value: Double, logarithm: Double, _ limits: ExplosionLimits
    ) -> (isWeak: Bool, isStrong: Bool) {
        var (isWeak, isStrong) = (false, false)
        if value > 0 {
            if baseline.count >= Self.warmUp, value > 2 * (early.median ?? .infinity) {
                let score = baseline.score(logarithm, floor: 0.3)
                let factor = logarithm - baseline.mean
                isStrong = score > limits.strongScore && factor > log(limits.strongFactor)
                isWeak = isStrong || (score > limits.weakScore && factor > log(limits.weakFactor))
            } else if reports < Self.warmUp, firstValue > 0, value > 1_000 * firstValue, previous != 0 {
                (isWeak, isStrong) = (true, true)
            }
            if firstValue == 0 { firstValue = value }
            early.note(value)
            baseline.add(logarithm, floor: 0.3)
        }
        previous = value
        reports += 1
        weak.note(isWeak)
        strong.note(isStrong)
        return (isWeak, isStrong)
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

    static func reads(_ columns: StepColumns) -> Bool { columns.has(.gradientNorm) }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout ExplosionState
    ) -> Judgement? {
        let norm = inputs[.gradientNorm]
        guard norm.isFinite, norm >= 0, !run.isSkipped else { return nil }
        let (isWeak, isStrong) = state.note(norm, logarithm: inputs.gradientLogarithm, limits)
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
