/// A metric of one layer in one step: a row of the table below.
///
/// The decoder's keys, checks and error paths, the encoder, the columns of a step and the agreement test of SCHEMA.md
/// derive from the table. To add a metric, add a row.
package struct LayerMetric: Sendable {
    /// The name in the open wire, where all metrics of a layer are in one object.
    package let name: StaticString
    /// The path within a layer of `layer_statistics`, and within a layer of a served step.
    package var path: [StaticString] { block.path + [key] }
    /// Whether the value may be absent or null. (A whole block may be optional too: `LayerBlock.isOptional`.)
    package let isOptional: Bool
    /// Whether the lite form of a step contains it.
    package let isLite: Bool
    /// The lower bound of the value.
    package let bound: LowerBound
    /// The object that contains it.
    package let block: LayerBlock
    /// The key in that object.
    let key: StaticString
    /// The offset of its column within a layer's numbers.
    package fileprivate(set) var column = 0

    /// All metrics, in the order of their columns.
    package static let all = LayerField.table.compactMap(\.metric)
    /// The number of columns: numbers per layer in a step's flat array.
    package static let count = all.count
}

/// The lower bound of a number.
package enum LowerBound: Sendable {
    /// Any finite number.
    case none
    /// At least 0.
    case notNegative
    /// Greater than 0.
    case aboveZero
}

/// The objects of a layer that contain its metrics.
package enum LayerBlock: Sendable, CaseIterable {
    /// Statistics of the activations.
    case features
    /// Statistics of the gradient with respect to the layer's weight.
    case gradient
    /// Statistics of the weight.
    case weight
    /// Statistics of the bias.
    case bias

    /// The path of the object within a layer.
    package var path: [StaticString] {
        switch self {
        case .features: ["intermediate_features"]
        case .gradient: ["gradient_flow"]
        case .weight: ["parameter_statistics", "weight"]
        case .bias: ["parameter_statistics", "bias"]
        }
    }

    /// Whether the object may be absent or null as a whole. Its metrics are then missing.
    package var isOptional: Bool { self == .bias }
}

/// A field of a layer's block: a metric, or the activation's shape.
struct LayerField: Sendable {
    let block: LayerBlock
    let key: StaticString
    /// The metric; `nil` for the activation's shape.
    private(set) var metric: LayerMetric?

    /// The table, in the order of SCHEMA.md, in which errors are reported and steps are served. The fields of a block,
    /// and blocks with a common parent, are adjacent. SCHEMA.md has the metrics' meanings.
    static let table = numbered([
        metric(.features, "activation_std", .notNegative, isLite: true),
        metric(.features, "activation_mean", .none),
        LayerField(block: .features, key: "activation_shape", metric: nil),
        metric(.features, "cross_layer_std_ratio", .notNegative, isOptional: true, isLite: true),
        metric(.gradient, "gradient_l2_norm", .notNegative, isLite: true),
        metric(.gradient, "gradient_std", .notNegative),
        metric(.gradient, "gradient_max_abs", .notNegative, isLite: true),
        metric(.weight, "std", .notNegative, name: "weight_std"),
        metric(.weight, "mean", .none, name: "weight_mean"),
        metric(.weight, "spectral_norm", .notNegative, name: "weight_spectral_norm"),
        metric(.weight, "frobenius_norm", .notNegative, name: "weight_frobenius_norm"),
        metric(.bias, "std", .notNegative, name: "bias_std"),
        metric(.bias, "mean_abs", .notNegative, name: "bias_mean_abs"),
    ])

    /// Numbers the columns of the metrics.
    private static func numbered(_ rows: [LayerField]) -> [LayerField] {
        precondition(
            rows.count <= LayerNumbers(repeating: 0).count, "more metrics than columns: enlarge `LayerNumbers`")
        var rows = rows
        for (column, index) in rows.indices.filter({ rows[$0].metric != nil }).enumerated() {
            rows[index].metric?.column = column
        }
        return rows
    }

    /// A row of a metric.
    ///
    /// - Parameters:
    ///   - block: the object that contains it.
    ///   - key: its key in that object.
    ///   - bound: its lower bound.
    ///   - name: its name in the open wire; by default the key.
    ///   - isOptional: whether it may be absent or null.
    ///   - isLite: whether the lite form of a step contains it.
    /// - Returns: the row.
    private static func metric(
        _ block: LayerBlock, _ key: StaticString, _ bound: LowerBound, name: StaticString? = nil,
        isOptional: Bool = false, isLite: Bool = false
    ) -> LayerField {
        let metric = LayerMetric(
            name: name ?? key, isOptional: isOptional, isLite: isLite, bound: bound, block: block, key: key)
        return LayerField(block: block, key: key, metric: metric)
    }
}

/// The encoding of a missing number in the flat array.
///
/// It is a quiet NaN with its own payload. No posted value has this bit pattern: JSON has no NaN, and a NaN posted as a
/// token is stored as `Double.nan`, whose payload is empty.
package enum MissingValue {
    /// The stored value of a missing number.
    @inline(__always)
    package static var number: Double { Double(bitPattern: 0x7FF8_0000_0000_A85E) }

    /// Whether a stored value represents a missing number.
    @inline(__always)
    package static func isMissing(_ value: Double) -> Bool { value.bitPattern == 0x7FF8_0000_0000_A85E }
}
