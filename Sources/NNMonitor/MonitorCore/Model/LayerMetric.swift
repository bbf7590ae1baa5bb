/// The numbers of one layer in one step, in the order in which a step's flat array holds them.
///
/// The raw value is the offset within the layer's stride of `LayerMetric.count` doubles.
package enum LayerMetric: Int, Sendable, CaseIterable {
    /// Standard deviation of the layer's activations.
    case activationStd
    /// Mean of the layer's activations.
    case activationMean
    /// Activation std divided by that of the layer before; optional.
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

    /// How many numbers a layer has in a step's flat array.
    package static let count = 12
}

/// How an optional number that was not posted is kept in the flat array.
///
/// A quiet NaN with a payload of its own. It cannot be mistaken for a posted value: JSON has no NaN, and where a NaN
/// may be posted in words it is stored as `Double.nan`, whose payload is empty.
package enum Absent {
    /// The stored form of "not posted".
    package static let number = Double(bitPattern: 0x7FF8_0000_0000_A85E)

    /// Whether a stored number means "not posted".
    @inline(__always)
    package static func marks(_ value: Double) -> Bool { value.bitPattern == 0x7FF8_0000_0000_A85E }
}
