import MonitorCore

/// All rules of a run with their states.
struct RuleRunners: Sendable {
    private var nonFinite = NonFiniteRunner()
    private var deadLayer = LayerRuleRunner<DeadLayer>()
    private var deadUnits = LayerRuleRunner<DeadUnits>()
    private var frozenLayer = LayerRuleRunner<FrozenLayer>()
    private var underflow = LayerRuleRunner<Underflow>()
    private var routerCollapse = LayerRuleRunner<RouterCollapse>()
    private var attentionLogits = LayerRuleRunner<AttentionLogits>()
    private var entropyCollapse = LayerRuleRunner<EntropyCollapse>()
    private var updateRatio = LayerRuleRunner<UpdateRatio>()
    private var explodingGradient = LayerRuleRunner<ExplodingGradient>()
    private var vanishingGradient = LayerRuleRunner<VanishingGradient>()
    private var overflow = LayerRuleRunner<Overflow>()
    private var saturation = LayerRuleRunner<Saturation>()
    private var activationDrift = LayerRuleRunner<ActivationDrift>()
    private var spectralGrowth = LayerRuleRunner<SpectralGrowth>()
    private var inconsistentReport = LayerRuleRunner<InconsistentReport>()
    private var lossNotFinite = RunRuleRunner<LossNotFinite>()
    private var lossSpike = RunRuleRunner<LossSpike>()
    private var lossDiverging = RunRuleRunner<LossDiverging>()
    private var gradNormSpike = RunRuleRunner<GradNormSpike>()

    /// Judges a step by all rules.
    mutating func judge(_ values: StepValues, _ layers: LayerIndex, _ run: RunState, into findings: inout StepFindings)
    {
        if values.record.layerCount > 0 {
            nonFinite.judge(values, layers, run, into: &findings)
            deadLayer.judge(values, layers, run, into: &findings)
            deadUnits.judge(values, layers, run, into: &findings)
            frozenLayer.judge(values, layers, run, into: &findings)
            underflow.judge(values, layers, run, into: &findings)
            routerCollapse.judge(values, layers, run, into: &findings)
            attentionLogits.judge(values, layers, run, into: &findings)
            entropyCollapse.judge(values, layers, run, into: &findings)
            updateRatio.judge(values, layers, run, into: &findings)
            explodingGradient.judge(values, layers, run, into: &findings)
            vanishingGradient.judge(values, layers, run, into: &findings)
            overflow.judge(values, layers, run, into: &findings)
            saturation.judge(values, layers, run, into: &findings)
            activationDrift.judge(values, layers, run, into: &findings)
            spectralGrowth.judge(values, layers, run, into: &findings)
            inconsistentReport.judge(values, layers, run, into: &findings)
        }
        lossNotFinite.judge(values, run, into: &findings)
        lossSpike.judge(values, run, into: &findings)
        lossDiverging.judge(values, run, into: &findings)
        gradNormSpike.judge(values, run, into: &findings)
    }

    /// Applies settings.
    mutating func use(_ scope: HealthRules.Scope) {
        let sets = [scope.rules] + scope.layers.map(\.rules)
        nonFinite.rules = sets.map(\.nonFinite)
        deadLayer.rules = sets.map(\.deadLayer)
        deadUnits.rules = sets.map(\.deadUnits)
        frozenLayer.rules = sets.map(\.frozenLayer)
        underflow.rules = sets.map(\.underflow)
        routerCollapse.rules = sets.map(\.routerCollapse)
        attentionLogits.rules = sets.map(\.attentionLogits)
        entropyCollapse.rules = sets.map(\.entropyCollapse)
        updateRatio.rules = sets.map(\.updateRatio)
        explodingGradient.rules = sets.map(\.explodingGradient)
        vanishingGradient.rules = sets.map(\.vanishingGradient)
        overflow.rules = sets.map(\.overflow)
        saturation.rules = sets.map(\.saturation)
        activationDrift.rules = sets.map(\.activationDrift)
        spectralGrowth.rules = sets.map(\.spectralGrowth)
        inconsistentReport.rules = sets.map(\.inconsistentReport)
        lossNotFinite.rule = scope.rules.lossNotFinite
        lossSpike.rule = scope.rules.lossSpike
        lossDiverging.rule = scope.rules.lossDiverging
        gradNormSpike.rule = scope.rules.gradNormSpike
    }

    /// Forgets all states; `isOpen` says which alerts stay open.
    mutating func reset(isOpen: (RuleID, Int) -> Bool) {
        nonFinite.reset { isOpen(.nonFinite, $0) }
        deadLayer.reset { isOpen(.deadLayer, $0) }
        deadUnits.reset { isOpen(.deadUnits, $0) }
        frozenLayer.reset { isOpen(.frozenLayer, $0) }
        underflow.reset { isOpen(.underflow, $0) }
        routerCollapse.reset { isOpen(.routerCollapse, $0) }
        attentionLogits.reset { isOpen(.attentionLogits, $0) }
        entropyCollapse.reset { isOpen(.entropyCollapse, $0) }
        updateRatio.reset { isOpen(.updateRatio, $0) }
        explodingGradient.reset { isOpen(.explodingGradient, $0) }
        vanishingGradient.reset { isOpen(.vanishingGradient, $0) }
        overflow.reset { isOpen(.overflow, $0) }
        saturation.reset { isOpen(.saturation, $0) }
        activationDrift.reset { isOpen(.activationDrift, $0) }
        spectralGrowth.reset { isOpen(.spectralGrowth, $0) }
        inconsistentReport.reset { isOpen(.inconsistentReport, $0) }
        lossNotFinite.reset(isOpen: isOpen(.lossNotFinite, -1))
        lossSpike.reset(isOpen: isOpen(.lossSpike, -1))
        lossDiverging.reset(isOpen: isOpen(.lossDiverging, -1))
        gradNormSpike.reset(isOpen: isOpen(.gradNormSpike, -1))
    }

    /// Bytes of the states.
    var memory: Int {
        let first = nonFinite.memory + deadLayer.memory + deadUnits.memory + frozenLayer.memory + underflow.memory
        let second = routerCollapse.memory + attentionLogits.memory + entropyCollapse.memory + updateRatio.memory
        let third = explodingGradient.memory + vanishingGradient.memory + overflow.memory + saturation.memory
        return first + second + third + activationDrift.memory + spectralGrowth.memory + inconsistentReport.memory
    }

    /// What each rule does at present.
    func report(_ seen: SeenInputs, _ layers: LayerIndex) -> [HealthReport.Rule] {
        [
            HealthReport.Rule(
                name: RuleID.nonFinite.name, isOfLayers: true,
                state: nonFinite.rules[0].isEnabled ? .running : .off, inputs: [], inputsMissing: [],
                layersMissing: 0, hint: nil),
            state(of: deadLayer, seen, layers), state(of: deadUnits, seen, layers),
            state(of: frozenLayer, seen, layers, optional: [Metric.updateRatio.name, "lr"]),
            state(of: underflow, seen, layers), state(of: routerCollapse, seen, layers),
            state(of: attentionLogits, seen, layers), state(of: entropyCollapse, seen, layers),
            state(of: updateRatio, seen, layers, optional: ["lr"]), state(of: explodingGradient, seen, layers),
            state(
                of: vanishingGradient, seen, layers,
                optional: [Metric.weightStd.name, Metric.weightMean.name, Metric.weightFrobeniusNorm.name]),
            state(of: overflow, seen, layers), state(of: saturation, seen, layers),
            state(of: activationDrift, seen, layers), state(of: spectralGrowth, seen, layers),
            state(of: inconsistentReport, seen, layers), state(of: lossNotFinite, seen),
            state(of: lossSpike, seen), state(of: lossDiverging, seen, optional: ["lr"]),
            state(of: gradNormSpike, seen),
        ]
    }

    private func state<Rule>(
        of runner: LayerRuleRunner<Rule>, _ seen: SeenInputs, _ layers: LayerIndex, optional: Set<String> = []
    ) -> HealthReport.Rule {
        let reports = runner.reports
        return Self.state(
            Rule.self, isEnabled: runner.rules.contains(where: \.isEnabled), reports, seen, optional,
            layersMissing: runner.missing(layers.positions))
    }

    private func state<Rule>(
        of runner: RunRuleRunner<Rule>, _ seen: SeenInputs, optional: Set<String> = []
    ) -> HealthReport.Rule {
        Self.state(Rule.self, isEnabled: runner.rule.isEnabled, runner.reports, seen, optional, layersMissing: 0)
    }

    private static func state<Rule: HealthRule>(
        _ rule: Rule.Type, isEnabled: Bool, _ reports: Int, _ seen: SeenInputs, _ optional: Set<String>,
        layersMissing: Int
    ) -> HealthReport.Rule {
        let missing = Rule.inputNames.filter { !seen.names.contains($0) }
        let state: HealthReport.RuleState =
            if !isEnabled { .off } else if reports == 0 { .inputsMissing } else if reports <= Rule.warmUp {
                .warmingUp
            } else { .running }
        let wanted = reports == 0 ? missing.filter { !optional.contains($0) } : missing
        let names = wanted.map { "`\($0)`" }.joined(separator: " and ")
        let verb = reports == 0 ? "to get this rule" : "to make this rule more exact"
        return HealthReport.Rule(
            name: Rule.id.name, isOfLayers: Rule.id.isOfLayers, state: state, inputs: Rule.inputNames,
            inputsMissing: missing, layersMissing: layersMissing, hint: wanted.isEmpty ? nil : "post \(names) \(verb)")
    }
}
