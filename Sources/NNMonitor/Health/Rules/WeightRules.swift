import MonitorCore

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

    static func reads(_ columns: StepColumns, _ run: RunState) -> Bool { columns.has(.updateRatio) }

    static func isResting(_ state: State) -> Bool { !state.warning.isRunning && !state.critical.isRunning }

    struct Screen: LayerScreen {
        fileprivate let ratios: Column
        /// By the inverse of the learning rate's share.
        fileprivate let factor: Double
        fileprivate let low: Double
        fileprivate let high: Double

        @inline(__always)
        func judge(
            _ position: Int, _ numbers: Span<Double>, _ logarithms: Span<Double>, _ layers: Span<LayerFacts>,
            _ number: Int,
            _ state: inout State
        ) -> Screened {
            let ratio = ratios.value(position, in: numbers)
            guard ratio.isPositiveFinite, !layers[number].isNormalisation else { return .noReport }
            let normalised = ratio * factor
            return normalised < low || normalised > high ? .unclear : .clean
        }
    }

    static func screen(_ rules: [UpdateRatio], _ values: StepValues, _ run: RunState) -> Screen? {
        let low = rules.largest { max($0.warningLow, $0.criticalLow) }
        let high = rules.least { min($0.warningHigh, $0.criticalHigh) }
        guard let ratios = values.column(.updateRatio), !run.isSkipped,
            let factor = run.rateFactor(least: rules.largest(\.leastRate))
        else { return nil }
        return Screen(ratios: ratios, factor: factor, low: low, high: high)
    }

    func judge(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: inout State
    ) -> Judgement? {
        let ratio = values.value(.updateRatio, position)
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
        /// The reports until there is a base.
        fileprivate var reports = 0
        fileprivate var base = 0.0
    }
    static let start = State()
    var isEnabled = true
    var warning = 10.0
    var critical = 30.0

    static func reads(_ columns: StepColumns, _ run: RunState) -> Bool { columns.has(.weightSpectralNorm) }

    static func isResting(_ state: State) -> Bool { true }

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
            // Without a base the product is 0.
            if norm.isPositiveFinite, norm <= limit * state.base { return .clean }
            return norm.isFinite ? .unclear : .noReport
        }
    }

    static func screen(_ rules: [SpectralGrowth], _ values: StepValues, _ run: RunState) -> Screen? {
        guard let norms = values.column(.weightSpectralNorm) else { return nil }
        return Screen(norms: norms, limit: rules.least { min($0.warning, $0.critical) })
    }

    func judge(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: inout State
    ) -> Judgement? {
        let norm = values.value(.weightSpectralNorm, position)
        guard norm.isFinite else { return nil }
        if state.base == 0 {
            state.reports += 1
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

    static func reads(_ columns: StepColumns, _ run: RunState) -> Bool {
        columns.has(.weightSpectralNorm) && columns.has(.weightFrobeniusNorm)
    }

    static func isResting(_ state: Bool) -> Bool { true }

    struct Screen: LayerScreen {
        fileprivate let spectral: Column
        fileprivate let frobenius: Column
        fileprivate let factor: Double

        @inline(__always)
        func judge(
            _ position: Int, _ numbers: Span<Double>, _ logarithms: Span<Double>, _ layers: Span<LayerFacts>,
            _ number: Int,
            _ state: inout Bool
        ) -> Screened {
            let (spectral, frobenius) = (spectral.value(position, in: numbers), frobenius.value(position, in: numbers))
            if spectral.isPositiveFinite, frobenius.isPositiveFinite, spectral <= frobenius * factor { return .clean }
            return spectral.isFinite && frobenius.isFinite ? .unclear : .noReport
        }
    }

    static func screen(_ rules: [InconsistentReport], _ values: StepValues, _ run: RunState) -> Screen? {
        guard let spectral = values.column(.weightSpectralNorm), let frobenius = values.column(.weightFrobeniusNorm)
        else { return nil }
        return Screen(spectral: spectral, frobenius: frobenius, factor: 1 + rules.least(\.tolerance))
    }

    @inline(__always)
    private static func isWrong(_ spectral: Double, _ frobenius: Double, _ factor: Double) -> Bool {
        frobenius > 0 && spectral > frobenius * factor
    }

    func judge(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: inout Bool
    ) -> Judgement? {
        let spectral = values.value(.weightSpectralNorm, position)
        let frobenius = values.value(.weightFrobeniusNorm, position)
        guard spectral.isFinite, frobenius.isFinite else { return nil }
        let isWrong = Self.isWrong(spectral, frobenius, 1 + tolerance)
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
