import MonitorCore

/// The largest attention logit grows: above 50 and more than twice its minimum of the last 50 reports, for 3 reports;
/// above 1 000 for 3 is critical. Ten times the first value is normal.
///
/// Sources: Wortsman et al. 2023 (arXiv 2309.14322); Dehghani et al. 2023, "Scaling Vision Transformers to 22 Billion
/// Parameters" (arXiv 2302.05442).
struct AttentionLogits: LayerRule {
    static let id = RuleID.attentionLogits
    static let inputNames = [Metric.attentionMaxLogit.name]
    static let parameters: [RuleParameter<AttentionLogits>] = [
        .number("warning", \.warning), .number("growth", \.growth), .reports("warning_for", \.warningFor),
        .number("critical", \.critical), .reports("critical_for", \.criticalFor),
    ]

    struct State: Sendable {
        fileprivate var minima = SlidingMinimum()
        fileprivate var warning = Streak()
        fileprivate var critical = Streak()
    }
    static let start = State()
    var isEnabled = true
    var warning = 50.0
    var growth = 2.0
    var warningFor = 3
    var critical = 1_000.0
    var criticalFor = 3

    static func reads(_ columns: StepColumns) -> Bool { columns.has(.attentionMaxLogit) }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout State
    ) -> Judgement? {
        let logit = inputs[.attentionMaxLogit]
        guard logit.isFinite else { return nil }
        let isHigh = logit > warning && logit > growth * state.minima.minimum
        let isExtreme = logit > critical
        state.minima.note(logit)
        return Judgement(
            isWarning: state.warning.note(isHigh, for: warningFor),
            isCritical: state.critical.note(isExtreme, for: criticalFor), isAbnormal: isHigh || isExtreme)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel
    ) -> Finding {
        Finding(
            metric: Metric.attentionMaxLogit.name, value: values.value(.attentionMaxLogit, position),
            comparison: .above, threshold: [level == .critical ? critical : warning], baseline: state.minima.minimum,
            inputs: values.inputs([.attentionMaxLogit], position))
    }
}

/// The minimum of the last 50 values: of 41 to 50, since ten neighbours share one minimum.
struct SlidingMinimum: Sendable {
    private var parts = InlineArray<5, Double>(repeating: .infinity)
    private var count = 0

    /// The minimum; infinity before the first value.
    var minimum: Double {
        var least = Double.infinity
        for part in parts.indices { least = min(least, parts[part]) }
        return least
    }

    mutating func note(_ value: Double) {
        let part = count / 10 % 5
        parts[part] = count % 10 == 0 ? value : min(parts[part], value)
        count += 1
    }
}

/// Attention concentrates on few positions: `attention_entropy` over its first value below 0.15 for 3 reports a
/// warning, below 0.02 critical. Source: Zhai et al. 2023 (arXiv 2303.06296).
struct EntropyCollapse: LayerRule {
    static let id = RuleID.entropyCollapse
    static let inputNames = [Metric.attentionEntropy.name]
    static let parameters: [RuleParameter<EntropyCollapse>] = [
        .number("warning", \.warning), .reports("warning_for", \.warningFor), .number("critical", \.critical),
        .reports("critical_for", \.criticalFor),
    ]

    struct State: Sendable {
        fileprivate var first = 0.0
        fileprivate var warning = Streak()
        fileprivate var critical = Streak()
    }
    static let start = State()
    var isEnabled = true
    var warning = 0.15
    var warningFor = 3
    var critical = 0.02
    var criticalFor = 3

    static func reads(_ columns: StepColumns) -> Bool { columns.has(.attentionEntropy) }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout State
    ) -> Judgement? {
        let entropy = inputs[.attentionEntropy]
        guard entropy.isFinite else { return nil }
        if state.first == 0 {
            if entropy > 0 { state.first = entropy }
            return .clean
        }
        let share = entropy / state.first
        return Judgement(
            isWarning: state.warning.note(share < warning, for: warningFor),
            isCritical: state.critical.note(share < critical, for: criticalFor), isAbnormal: share < warning)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel
    ) -> Finding {
        Finding(
            metric: Metric.attentionEntropy.name, value: values.value(.attentionEntropy, position), comparison: .below,
            threshold: [(level == .critical ? critical : warning) * state.first], baseline: state.first,
            inputs: values.inputs([.attentionEntropy], position))
    }
}

/// A router sends nearly all tokens to few experts.
///
/// c = cv / sqrt(E - 1) of the router's load over E >= 2 experts, with the population's deviation: 0 where the load is
/// even, 1 where one expert has all. Warning: c > 0.6 for 10 reports, or an expert below 2 % of its fair share for 20;
/// critical: c > 0.9 for 5. An expert that gets nothing is seen where the loss is fine. Sources: Shazeer et al. 2017,
/// "Outrageously Large Neural Networks" (arXiv 1701.06538); Fedus et al. 2021, "Switch Transformers" (arXiv
/// 2101.03961).
struct RouterCollapse: LayerRule {
    static let id = RuleID.routerCollapse
    static let inputNames = ["router_load"]
    static let parameters: [RuleParameter<RouterCollapse>] = [
        .number("warning", \.warning), .reports("warning_for", \.warningFor), .number("critical", \.critical),
        .reports("critical_for", \.criticalFor), .number("least_share", \.leastShare),
        .reports("starved_warning_for", \.starvedWarningFor),
    ]

    struct State: Sendable {
        fileprivate var warning = Streak()
        fileprivate var critical = Streak()
        fileprivate var starved = Streak()
        fileprivate var concentration = 0.0
        fileprivate var least = 0.0
    }
    static let start = State()
    var isEnabled = true
    var warning = 0.6
    var warningFor = 10
    var critical = 0.9
    var criticalFor = 5
    var leastShare = 0.02
    var starvedWarningFor = 20

    static func reads(_ columns: StepColumns) -> Bool { !columns.routers.isEmpty }

    func judge(
        _ layer: LayerFacts, _ inputs: LayerInputs, _ position: Int, _ values: StepValues, _ run: RunState,
        _ state: inout State
    ) -> Judgement? {
        let id = values.record.table.layout.idBytes(position)
        guard let router = values.columns.routers.first(where: { $0.layer.elementsEqual(id) }) else {
            return nil
        }
        let load = values.vector(router.values)
        let sum = load.reduce(0, +)
        guard load.count >= 2, sum.isFinite, sum > 0 else { return nil }
        let (count, mean) = (Double(load.count), sum / Double(load.count))
        let variance = load.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        state.concentration = variance.squareRoot() / mean / (count - 1).squareRoot()
        state.least = (load.min() ?? 0) / mean
        let isUneven = state.concentration > warning
        let isStarved = state.least < leastShare
        let isWarning = state.warning.note(isUneven, for: warningFor)
        let isCritical = state.critical.note(state.concentration > critical, for: criticalFor)
        let hasStarved = state.starved.note(isStarved, for: starvedWarningFor)
        return Judgement(
            isWarning: isWarning || hasStarved, isCritical: isCritical, isAbnormal: isUneven || isStarved)
    }

    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel
    ) -> Finding {
        let inputs = [
            Alert.Input(name: "router_load_cv", value: state.concentration),
            Alert.Input(name: "least_share", value: state.least),
        ]
        if state.concentration > warning {
            return Finding(
                metric: "router_load", value: state.concentration, comparison: .above,
                threshold: [level == .critical ? critical : warning], inputs: inputs)
        }
        return Finding(
            metric: "router_load", value: state.least, comparison: .below, threshold: [leastShare], inputs: inputs)
    }
}
