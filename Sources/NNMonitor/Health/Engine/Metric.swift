/// The metrics of layers that rules read.
enum Metric: Int, CaseIterable, Sendable {
    case activationStd, activationMaxAbs, gradientNorm, gradientMaxAbs, weightStd, weightMean, weightSpectralNorm
    case weightFrobeniusNorm, biasStd, biasMeanAbs, updateRatio, deadFraction, saturatedFraction, underflowFraction
    case overflowFraction, attentionMaxLogit, attentionEntropy

    /// The name in the open wire.
    var name: String {
        switch self {
        case .activationStd: "activation_std"
        case .activationMaxAbs: "activation_max_abs"
        case .gradientNorm: "gradient_l2_norm"
        case .gradientMaxAbs: "gradient_max_abs"
        case .weightStd: "weight_std"
        case .weightMean: "weight_mean"
        case .weightSpectralNorm: "weight_spectral_norm"
        case .weightFrobeniusNorm: "weight_frobenius_norm"
        case .biasStd: "bias_std"
        case .biasMeanAbs: "bias_mean_abs"
        case .updateRatio: "update_ratio"
        case .deadFraction: "dead_fraction"
        case .saturatedFraction: "saturated_fraction"
        case .underflowFraction: "underflow_fraction"
        case .overflowFraction: "overflow_fraction"
        case .attentionMaxLogit: "attention_max_logit"
        case .attentionEntropy: "attention_entropy"
        }
    }

    /// The statistics of weights and biases that do not change while a layer is not trained.
    static let weights: [Metric] = [
        .weightStd, .weightMean, .weightSpectralNorm, .weightFrobeniusNorm, .biasStd, .biasMeanAbs,
    ]
}

/// What a metric is measured on.
enum MetricKind: UInt8, Comparable, Sendable {
    case weight, activation, gradient

    /// The kind of a metric of any name.
    init(name: ArraySlice<UInt8>) {
        let prefixes: [(StaticString, MetricKind)] = [
            ("weight_", .weight), ("bias_", .weight), ("gradient_", .gradient), ("update_", .gradient),
        ]
        let found = prefixes.first { prefix, _ in name.starts(with: "\(prefix)".utf8) }
        self = found?.1 ?? .activation
    }

    static func < (left: MetricKind, right: MetricKind) -> Bool { left.rawValue < right.rawValue }

    /// The name in texts.
    var name: String {
        switch self {
        case .weight: "weights"
        case .activation: "activations"
        case .gradient: "gradients"
        }
    }
}
