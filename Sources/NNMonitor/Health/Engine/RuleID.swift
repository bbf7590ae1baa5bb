/// The rules, in the order in which they are the origin of an episode; then those on the run.
///
/// Causes that travel forward come before gradients, and both before the size of updates, which follows from them: with
/// inputs a hundred times too large, gradients explode in the last layer, but the activations drift in the first.
enum RuleID: UInt8, CaseIterable, Sendable {
    case nonFinite, deadLayer, deadUnits, frozenLayer, underflow, routerCollapse, attentionLogits, entropyCollapse
    case saturation, activationDrift, explodingGradient, vanishingGradient, updateRatio, overflow, spectralGrowth
    case inconsistentReport
    case lossNotFinite, lossSpike, lossDiverging, gradNormSpike

    /// The name on the wire.
    var name: String {
        switch self {
        case .nonFinite: "non_finite"
        case .deadLayer: "dead_layer"
        case .deadUnits: "dead_units"
        case .frozenLayer: "frozen_layer"
        case .underflow: "underflow"
        case .routerCollapse: "router_collapse"
        case .attentionLogits: "attention_logits"
        case .entropyCollapse: "entropy_collapse"
        case .updateRatio: "update_ratio"
        case .explodingGradient: "exploding_gradient"
        case .vanishingGradient: "vanishing_gradient"
        case .overflow: "overflow"
        case .saturation: "saturation"
        case .activationDrift: "activation_drift"
        case .spectralGrowth: "spectral_growth"
        case .inconsistentReport: "inconsistent_report"
        case .lossNotFinite: "loss_not_finite"
        case .lossSpike: "loss_spike"
        case .lossDiverging: "loss_diverging"
        case .gradNormSpike: "grad_norm_spike"
        }
    }

    /// Whether it judges each layer, or the run.
    var isOfLayers: Bool { rawValue < RuleID.lossNotFinite.rawValue }

    /// Whether a fault travels from the last layer to the first, as gradients do.
    var isBackward: Bool {
        switch self {
        case .explodingGradient, .vanishingGradient, .underflow: true
        default: false
        }
    }
}
