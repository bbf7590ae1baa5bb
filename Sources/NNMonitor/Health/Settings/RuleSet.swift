/// The settings of all rules.
package struct RuleSet: Sendable {
    var nonFinite = NonFinite()
    var deadLayer = DeadLayer()
    var deadUnits = DeadUnits()
    var frozenLayer = FrozenLayer()
    var underflow = Underflow()
    var routerCollapse = RouterCollapse()
    var attentionLogits = AttentionLogits()
    var entropyCollapse = EntropyCollapse()
    var updateRatio = UpdateRatio()
    var explodingGradient = ExplodingGradient()
    var vanishingGradient = VanishingGradient()
    var overflow = Overflow()
    var saturation = Saturation()
    var activationDrift = ActivationDrift()
    var spectralGrowth = SpectralGrowth()
    var inconsistentReport = InconsistentReport()
    var lossNotFinite = LossNotFinite()
    var lossSpike = LossSpike()
    var lossDiverging = LossDiverging()
    var gradNormSpike = GradNormSpike()

    /// The defaults.
    package init() {}

    /// What settings can be changed of a rule.
    struct Editor: Sendable {
        /// The names of its numbers.
        let parameters: [String]
        /// Which of them are numbers of reports.
        let counts: Set<String>
        /// Turns it on or off.
        let enable: @Sendable (inout RuleSet, Bool) -> Void
        /// Changes a number.
        let set: @Sendable (inout RuleSet, String, Double) -> Void

        init<Rule: HealthRule>(_ path: any WritableKeyPath<RuleSet, Rule> & Sendable) {
            parameters = Rule.parameters.map(\.name)
            counts = Set(
                Rule.parameters.filter { if case .reports = $0.place { true } else { false } }.map(\.name))
            enable = { $0[keyPath: path].isEnabled = $1 }
            set = { rules, name, value in
                guard let parameter = Rule.parameters.first(where: { $0.name == name }) else { return }
                switch parameter.place {
                case .number(let number): rules[keyPath: path][keyPath: number] = value
                case .reports(let count): rules[keyPath: path][keyPath: count] = Int(value)
                }
            }
        }
    }

    /// How the settings of a rule are changed.
    static func editor(of rule: RuleID) -> Editor {
        switch rule {
        case .nonFinite: Editor(\.nonFinite)
        case .deadLayer: Editor(\.deadLayer)
        case .deadUnits: Editor(\.deadUnits)
        case .frozenLayer: Editor(\.frozenLayer)
        case .underflow: Editor(\.underflow)
        case .routerCollapse: Editor(\.routerCollapse)
        case .attentionLogits: Editor(\.attentionLogits)
        case .entropyCollapse: Editor(\.entropyCollapse)
        case .updateRatio: Editor(\.updateRatio)
        case .explodingGradient: Editor(\.explodingGradient)
        case .vanishingGradient: Editor(\.vanishingGradient)
        case .overflow: Editor(\.overflow)
        case .saturation: Editor(\.saturation)
        case .activationDrift: Editor(\.activationDrift)
        case .spectralGrowth: Editor(\.spectralGrowth)
        case .inconsistentReport: Editor(\.inconsistentReport)
        case .lossNotFinite: Editor(\.lossNotFinite)
        case .lossSpike: Editor(\.lossSpike)
        case .lossDiverging: Editor(\.lossDiverging)
        case .gradNormSpike: Editor(\.gradNormSpike)
        }
    }
}
