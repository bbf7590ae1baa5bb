import MonitorCore

/// The texts about findings. docs/LAYER_HEALTH.md has the same advice.
enum RuleText {
    /// One line: what is wrong with which layer.
    static func title(_ rule: RuleID, _ layer: String?) -> String {
        let layer = layer ?? "every layer"
        return switch rule {
        case .nonFinite: "\(layer) has values that are not finite"
        case .deadLayer: "\(layer) is dead"
        case .deadUnits: "\(layer) has dead units"
        case .frozenLayer: "\(layer) is frozen"
        case .underflow: "\(layer) underflows"
        case .routerCollapse: "the router of \(layer) collapses"
        case .attentionLogits: "the attention logits of \(layer) grow"
        case .entropyCollapse: "the attention of \(layer) collapses"
        case .updateRatio: "the updates of \(layer) have the wrong size"
        case .explodingGradient: "the gradient of \(layer) explodes"
        case .vanishingGradient: "the gradient of \(layer) vanishes"
        case .overflow: "\(layer) overflows"
        case .saturation: "\(layer) is saturated"
        case .activationDrift: "the activations of \(layer) grow"
        case .spectralGrowth: "the weights of \(layer) grow"
        case .inconsistentReport: "the report of \(layer) is inconsistent"
        case .lossNotFinite: "the loss is not finite"
        case .lossSpike: "the loss has a spike"
        case .lossDiverging: "the loss diverges"
        case .gradNormSpike: "the gradient norm has a spike"
        }
    }

    /// A sentence with the value, since when, the threshold, and what it was before.
    static func message(_ rule: RuleID, _ finding: Finding, since step: Int64) -> String {
        let value = number(finding.value)
        var text = "\(finding.metric) is \(value) since step \(step)"
        var notes: [String] = []
        switch finding.comparison {
        case .above: notes.append("threshold: above \(number(finding.threshold.first))")
        case .below: notes.append("threshold: below \(number(finding.threshold.first))")
        case .outside where finding.threshold.count == 2:
            notes.append("normal: \(number(finding.threshold[0])) to \(number(finding.threshold[1]))")
        case .outside, .equal, .notFinite: break
        }
        if rule == .frozenLayer, finding.threshold.isEmpty {
            text = "no posted weight statistic changes since step \(step)"
        }
        if !MissingValue.isMissing(finding.baseline), finding.baseline.isFinite {
            notes.append("\(baselineName(rule)): \(number(finding.baseline))")
        }
        return notes.isEmpty ? text + "." : text + " (\(notes.joined(separator: "; ")))."
    }

    private static func baselineName(_ rule: RuleID) -> String {
        switch rule {
        case .vanishingGradient: "norm of the median layer"
        case .attentionLogits: "least value of the last 50 reports"
        case .entropyCollapse: "first value"
        case .spectralGrowth: "value at report 20"
        case .lossNotFinite: "last finite value"
        case .lossDiverging: "best"
        default: "mean before"
        }
    }

    /// A number in at most four significant digits.
    static func number(_ value: Double?) -> String {
        guard let value, value.isFinite else {
            return value.map { $0.isNaN ? "NaN" : $0 < 0 ? "-Infinity" : "Infinity" } ?? "unknown"
        }
        if value == 0 { return "0" }
        let exponent = (Logarithm.of(abs(value)) / Logarithm.of(10)).rounded(.down)
        guard abs(exponent) < 300 else { return "\(value)" }
        let scale = Logarithm.powerOfTen(3 - exponent)
        let rounded = (value * scale).rounded() / scale
        let text = "\(rounded)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// What people usually do about a finding.
    static func advice(_ rule: RuleID) -> String {
        switch rule {
        case .nonFinite:
            "Look at the step where it began: a division by zero, a logarithm of 0, an overflow in half precision, or bad "
                + "input. Lower the learning rate, clip gradients, or add an epsilon there. Go back to a checkpoint before "
                + "this step: a weight that is not finite does not recover."
        case .deadLayer:
            "The layer gives the same output for every input. Go back to a checkpoint before this step, and lower the "
                + "learning rate. Check the bias and the layers before it; use a normalisation, or an activation that is not "
                + "flat for negative inputs (leaky ReLU, GELU)."
        case .deadUnits:
            "Most units give 0 for the whole batch. Lower the learning rate, check the initialisation and large negative "
                + "biases, or use an activation that is not flat for negative inputs (leaky ReLU, GELU)."
        case .frozenLayer:
            "The layer has a gradient, but its weights do not change. Check that the optimizer has its parameters, and "
                + "that no hook or mask sets their updates to 0. If it is meant to be frozen, post it as not trainable."
        case .underflow:
            "Values become 0 in this number format. Use loss scaling, raise the scale, or use bfloat16."
        case .routerCollapse:
            "Few experts get nearly all tokens. Raise the weight of the balance loss, add noise to the router, or lower "
                + "its learning rate."
        case .attentionLogits:
            "Large logits make the attention one-hot, and its gradient vanishes. Normalise queries and keys (QK norm), "
                + "lower the learning rate, or use weight decay on their projections."
        case .entropyCollapse:
            "The attention looks at one position only. Normalise queries and keys, lower the learning rate, or lengthen "
                + "the warm-up."
        case .updateRatio:
            "An update should be about a thousandth of the weights. If it is too large, lower the learning rate; if it is "
                + "too small, raise it, or check the gradient of this layer."
        case .explodingGradient:
            "Clip gradients, lower the learning rate, or lengthen the warm-up. Look at the batch of this step."
        case .vanishingGradient:
            "The layer hardly learns. Check the initialisation; use residual connections, a normalisation, or an "
                + "activation that does not saturate."
        case .overflow:
            "Values reach the end of the number format. Lower the loss scale, use bfloat16, or normalise the inputs of "
                + "this layer."
        case .saturation:
            "The activation is at the ends of its range, where its gradient is nearly 0. Scale the initialisation down, "
                + "normalise the inputs of this layer, or lower the learning rate."
        case .activationDrift:
            "The outputs of the layer grow. Use a normalisation or weight decay, or lower the learning rate."
        case .spectralGrowth:
            "The weights grow. Use weight decay, lower the learning rate, or use a spectral normalisation."
        case .inconsistentReport:
            "A spectral norm cannot be larger than the Frobenius norm of the same matrix. Check how the trainer computes "
                + "them: both must be of the same weights at the same step."
        case .lossNotFinite:
            "Look for the first layer with a value that is not finite, and at the batch of this step. Go back to a "
                + "checkpoint before it, with a lower learning rate or with clipped gradients."
        case .lossSpike:
            "Look at the batch of this step. If spikes return, clip gradients or lower the learning rate."
        case .lossDiverging:
            "Go back to a checkpoint near the best loss, with a lower learning rate or a longer warm-up."
        case .gradNormSpike:
            "Clip gradients by their norm, and look at the batch of this step."
        }
    }
}
