/// The metrics of one layer in one step, in the order of a step's flat array.
///
/// The raw value is the metric's offset within the layer's `LayerMetric.count` doubles.
package enum LayerMetric: Int, Sendable, CaseIterable {
    /// Standard deviation of the layer's activations.
    case activationStd
    /// Mean of the layer's activations.
    case activationMean
    /// Activation standard deviation divided by that of the previous layer; optional.
    case crossLayerStdRatio
    /// L2 norm of the gradient with respect to the layer's parameters.
    case gradientL2Norm
    /// Standard deviation of that gradient.
    case gradientStd
    /// Largest absolute value of that gradient.
    case gradientMaxAbs
    /// Standard deviation of the weights.
    case weightStd
    /// Mean of the weights.
    case weightMean
    /// Spectral norm (largest singular value) of the weight matrix.
    case weightSpectralNorm
    /// Frobenius norm of the weight matrix.
    case weightFrobeniusNorm
    /// Standard deviation of the bias; optional, together with `biasMeanAbs`.
    case biasStd
    /// Mean absolute value of the bias; optional, together with `biasStd`.
    case biasMeanAbs

    /// Numbers per layer in a step's flat array.
    package static let count = 12
}

/// The encoding of a missing optional number in the flat array.
///
/// It is a quiet NaN with its own payload. No posted value has this bit pattern: JSON has no NaN, and a NaN posted as a
/// token is stored as `Double.nan`, whose payload is empty.
package enum Absent {
    /// The stored value of a missing number.
    package static let number = Double(bitPattern: 0x7FF8_0000_0000_A85E)

    /// Whether a stored value stands for a missing number.
    @inline(__always)
    package static func marks(_ value: Double) -> Bool { value.bitPattern == 0x7FF8_0000_0000_A85E }
}
