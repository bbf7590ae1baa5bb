package import Foundations

/// A metric of a layer that is computed from posted ones when a reader asks for it (SCHEMA.md, "Derived metrics").
///
/// With the gradient's L2 norm g and largest magnitude m, and the weight's Frobenius norm F, spectral norm s, standard
/// deviation d and mean w:
///
/// | name | formula | source |
/// |---|---|---|
/// | `gradient_to_weight` | g / F | You et al. 2017 (arXiv 1708.03888), whose trust ratio is its inverse |
/// | `stable_rank` | F² / s² | Rudelson and Vershynin 2007 (arXiv math/0503442) |
/// | `gradient_rms` | g / √N | Wortsman et al. 2023 (arXiv 2309.14322) |
/// | `heavy_tail` | m / (g / √N) | of N normal numbers, the largest is about √(2 ln N) deviations from the mean |
///
/// N is the number of weights: the posted `parameters` of the layer, otherwise F² / (d² + w²).
package enum DerivedMetric: CaseIterable, Sendable {
    /// The norm of the gradient relative to that of the weight.
    case gradientToWeight
    /// The number of directions in which the weight acts with about its full strength.
    case stableRank
    /// The root mean square of the gradient's elements.
    case gradientRMS
    /// The largest element of the gradient relative to their root mean square.
    case heavyTail

    /// A posted metric that derived ones are computed from.
    package enum Input: Int, CaseIterable, Sendable {
        /// L2 norm of the gradient.
        case gradientNorm
        /// Largest magnitude in the gradient.
        case gradientMaximum
        /// Frobenius norm of the weight.
        case frobeniusNorm
        /// Spectral norm of the weight.
        case spectralNorm
        /// Standard deviation of the weight.
        case weightDeviation
        /// Mean of the weight.
        case weightMean

        /// The name of the metric.
        package var name: StaticString {
            switch self {
            case .gradientNorm: "gradient_l2_norm"
            case .gradientMaximum: "gradient_max_abs"
            case .frobeniusNorm: "weight_frobenius_norm"
            case .spectralNorm: "weight_spectral_norm"
            case .weightDeviation: "weight_std"
            case .weightMean: "weight_mean"
            }
        }
    }

    /// One number for each `Input`, in its order; `MissingValue.number` where there is none.
    package typealias Inputs = InlineArray<6, Double>

    /// No inputs.
    package static let noInputs = Inputs(repeating: MissingValue.number)

    /// The inputs of which N is computed where `parameters` was not posted.
    package static let countInputs: [Input] = [.frobeniusNorm, .weightDeviation, .weightMean]

    /// The name of the metric.
    package var name: StaticString {
        switch self {
        case .gradientToWeight: "gradient_to_weight"
        case .stableRank: "stable_rank"
        case .gradientRMS: "gradient_rms"
        case .heavyTail: "heavy_tail"
        }
    }

    /// The derived metric of a name; `nil` if there is none, or if the run has a posted metric of this name.
    package init?(named name: ByteString, unlessIn names: RunNames) {
        let metric = Self.allCases.first { "\($0.name)".utf8.elementsEqual(name.text.utf8) }
        guard let metric, !names.metrics.contains(metric.name) else { return nil }
        self = metric
    }

    /// What it is computed from, without `countInputs`.
    package var inputs: [Input] {
        switch self {
        case .gradientToWeight: [.gradientNorm, .frobeniusNorm]
        case .stableRank: [.frobeniusNorm, .spectralNorm]
        case .gradientRMS: [.gradientNorm]
        case .heavyTail: [.gradientNorm, .gradientMaximum]
        }
    }

    /// Whether N is in its formula.
    package var needsCount: Bool { self == .gradientRMS || self == .heavyTail }

    /// All metrics that it may be computed from.
    package var allInputs: [Input] {
        inputs + (needsCount ? Self.countInputs.filter { !inputs.contains($0) } : [])
    }

    /// Whether it can be computed where some inputs exist.
    ///
    /// - Parameters:
    ///   - hasCount: whether `parameters` was posted.
    ///   - has: whether an input exists.
    /// - Returns: whether all that the formula needs exists.
    package func isAvailable(hasCount: Bool, _ has: (Input) -> Bool) -> Bool {
        inputs.allSatisfy(has) && (!needsCount || hasCount || Self.countInputs.allSatisfy(has))
    }

    /// The value.
    ///
    /// - Parameters:
    ///   - inputs: the numbers that were posted.
    ///   - parameters: the number of weights, if it was posted.
    /// - Returns: the value; `MissingValue.number` where an input is missing, N is not above 0, or finite inputs have
    ///   no result (0 / 0).
    package func value(_ inputs: Inputs, parameters: Int64?) -> Double {
        for input in self.inputs where MissingValue.isMissing(inputs[input.rawValue]) { return MissingValue.number }
        let norm = inputs[Input.gradientNorm.rawValue]
        let frobenius = inputs[Input.frobeniusNorm.rawValue]
        let value: Double
        switch self {
        case .gradientToWeight: value = norm / frobenius
        case .stableRank:
            let spectral = inputs[Input.spectralNorm.rawValue]
            value = (frobenius * frobenius) / (spectral * spectral)
        case .gradientRMS, .heavyTail:
            guard let count = Self.weightCount(inputs, parameters) else { return MissingValue.number }
            let rms = norm / count.squareRoot()
            value = self == .gradientRMS ? rms : inputs[Input.gradientMaximum.rawValue] / rms
        }
        guard value.isNaN else { return value }
        // The operands of `allInputs` that are not used are missing, which is a NaN too, so only the used ones count.
        return self.inputs.allSatisfy { inputs[$0.rawValue].isFinite } ? MissingValue.number : .nan
    }

    /// N, if it can be computed.
    private static func weightCount(_ inputs: Inputs, _ parameters: Int64?) -> Double? {
        if let parameters { return parameters > 0 ? Double(parameters) : nil }
        let frobenius = inputs[Input.frobeniusNorm.rawValue]
        let deviation = inputs[Input.weightDeviation.rawValue]
        let mean = inputs[Input.weightMean.rawValue]
        let count = (frobenius * frobenius) / (deviation * deviation + mean * mean)
        // Missing numbers are NaN, and so is the count then.
        return count > 0 && count.isFinite ? count : nil
    }
}
