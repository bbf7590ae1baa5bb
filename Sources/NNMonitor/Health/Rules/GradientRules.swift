import MonitorCore

extension StepValues {
    /// The root mean square of a layer's gradient: its norm over the square root of the number of weights, which is
    /// posted, or F^2 / (s_w^2 + m_w^2) of the Frobenius norm, standard deviation and mean of the weights.
    ///
    /// - Returns: the root mean square; `nil` where the number of weights is unknown.
    func gradientRMS(_ layer: LayerFacts, _ position: Int) -> Double? {
        let norm = value(.gradientNorm, position)
        if let count = layer.parameterCount, count > 0 { return norm / Double(count).squareRoot() }
        let (std, mean, frobenius) = (
            value(.weightStd, position), value(.weightMean, position), value(.weightFrobeniusNorm, position)
        )
        let count = frobenius * frobenius / (std * std + mean * mean)
        return count.isFinite && count > 0 ? norm / count.squareRoot() : nil
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

    static func reads(_ columns: StepColumns, _ run: RunState) -> Bool { columns.has(.gradientNorm) }

    static func isResting(_ state: State) -> Bool {
        !state.small.isRunning && !state.tiny.isRunning && !state.zero.isRunning
    }

    struct Screen: LayerScreen {
        fileprivate let norms: Column
        fileprivate let limit: Double

        @inline(__always)
        func judge(
            _ position: Int, _ numbers: Span<Double>, _ logarithms: Span<Double>, _ layers: Span<LayerFacts>,
            _ number: Int,
            _ state: inout State
        ) -> Screened {
            let norm = norms.value(position, in: numbers)
            if norm.isPositiveFinite, norm >= limit { return .clean }
            return norm.isFinite ? .unclear : .noReport
        }
    }

    static func screen(_ rules: [VanishingGradient], _ values: StepValues, _ run: RunState) -> Screen? {
        guard let norms = values.column(.gradientNorm), !run.isSkipped else { return nil }
        // No median is above the largest norm, which costs less to find.
        var largest = 0.0
        let numbers = values.numbers.span
        for position in 0..<values.record.layerCount {
            let norm = norms.value(position, in: numbers)
            if norm > largest, norm.isFinite { largest = norm }
        }
        let small = rules.largest { max($0.rms, $0.leastRMS) * largestRoot }
        let tiny = rules.largest { $0.leastRMS * largestRoot }
        return Screen(
            norms: norms, limit: max(min(rules.largest(\.ofMedian) * largest, small), tiny))
    }

    func judge(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: inout State
    ) -> Judgement? {
        let norm = values.value(.gradientNorm, position)
        guard norm.isFinite, !run.isSkipped else { return nil }
        // A root mean square is at least the norm over the root of the largest number of weights.
        let mayBeTiny = norm < leastRMS * Self.largestRoot
        let mayBeSmall = norm < rms * Self.largestRoot || mayBeTiny
        let size = mayBeSmall ? values.gradientRMS(layer, position) ?? .infinity : .infinity
        // The median is computed only where it matters.
        let isSmall = size < rms && run.isLossAbove(leastLoss) && norm < ofMedian * values.medianGradient
        let isTiny = mayBeTiny && size < leastRMS
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
            metric: "gradient_rms", value: values.gradientRMS(layer, position) ?? MissingValue.number,
            comparison: .below, threshold: [rms], baseline: values.medianGradient, inputs: inputs)
    }
}
