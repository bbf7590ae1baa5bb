/// The objects of a payload.
enum PayloadObject: UInt8 {
    case payload, metadata, layer, features, gradient, parameters, weight, bias, crossLayer

    /// The keys in schema order. Their indices are the decoder's field numbers.
    var keys: SchemaKeys { PayloadSchema.shared[self] }

    /// The enclosing object, and the field of this object in it; `nil` for the payload.
    var parent: (object: PayloadObject, field: Int)? {
        switch self {
        case .payload: nil
        case .metadata: (.payload, PayloadKey.metadata.rawValue)
        case .layer: (.payload, PayloadKey.layers.rawValue)
        case .crossLayer: (.payload, PayloadKey.crossLayer.rawValue)
        case .features: (.layer, LayerKey.features.rawValue)
        case .gradient: (.layer, LayerKey.gradient.rawValue)
        case .parameters: (.layer, LayerKey.parameters.rawValue)
        case .weight: (.parameters, ParametersKey.weight.rawValue)
        case .bias: (.parameters, ParametersKey.bias.rawValue)
        }
    }
}

/// The keys of an object other than a layer's blocks. The raw values are the field numbers, in schema order.
///
/// The keys of the blocks come from `LayerField.table`.
protocol ObjectKey: RawRepresentable, CaseIterable, Sendable where RawValue == Int {
    /// The object that has these keys.
    static var object: PayloadObject { get }
    /// The key's text.
    var text: StaticString { get }
    /// Whether the key must be present.
    var isRequired: Bool { get }
    /// The columns of the metrics in the value.
    var columns: Range<Int> { get }
}

extension ObjectKey {
    var isRequired: Bool { true }
    var columns: Range<Int> { 0..<0 }

    /// The keys for the schema.
    static var keys: SchemaKeys {
        SchemaKeys(
            allCases.map { KeyDescription(name: $0.text, isRequired: $0.isRequired, columns: $0.columns) })
    }
}

enum PayloadKey: Int, ObjectKey {
    case metadata, layers, crossLayer

    static let object = PayloadObject.payload

    var text: StaticString {
        switch self {
        case .metadata: "metadata"
        case .layers: "layer_statistics"
        case .crossLayer: "cross_layer_analysis"
        }
    }
}

enum MetadataKey: Int, ObjectKey {
    case runID, timestamp, step, batchSize, layerGroups

    static let object = PayloadObject.metadata

    var text: StaticString {
        switch self {
        case .runID: "run_id"
        case .timestamp: "timestamp"
        case .step: "global_step"
        case .batchSize: "batch_size"
        case .layerGroups: "layer_groups"
        }
    }

    var isRequired: Bool { self != .layerGroups }
}

enum LayerKey: Int, ObjectKey {
    case id, type, depth, features, gradient, parameters

    static let object = PayloadObject.layer

    var text: StaticString {
        switch self {
        case .id: "layer_id"
        case .type: "layer_type"
        case .depth: "depth_index"
        case .features: LayerBlock.features.path[0]
        case .gradient: LayerBlock.gradient.path[0]
        case .parameters: LayerBlock.weight.path[0]
        }
    }

    var columns: Range<Int> {
        switch self {
        case .id, .type, .depth: 0..<0
        case .features: LayerBlock.features.columns
        case .gradient: LayerBlock.gradient.columns
        case .parameters: LayerBlock.weight.columns.lowerBound..<LayerBlock.bias.columns.upperBound
        }
    }
}

enum ParametersKey: Int, ObjectKey {
    case weight, bias

    static let object = PayloadObject.parameters

    private var block: LayerBlock { self == .weight ? .weight : .bias }
    var text: StaticString { block.path[1] }
    var isRequired: Bool { !block.isOptional }
    var columns: Range<Int> { block.columns }
}

enum CrossLayerKey: Int, ObjectKey {
    case featureStdGradient, gradientNormRatio

    static let object = PayloadObject.crossLayer

    var text: StaticString { self == .featureStdGradient ? "feature_std_gradient" : "gradient_norm_ratio" }
    var isRequired: Bool { self == .featureStdGradient }
}

extension LayerBlock {
    /// The columns of the block's metrics.
    var columns: Range<Int> {
        let columns = LayerMetric.all.filter { $0.block == self }.map(\.column)
        guard let first = columns.first, let last = columns.last else { return 0..<0 }
        precondition(last - first + 1 == columns.count, "the metrics of a block are adjacent in the table")
        return first..<last + 1
    }

    /// The block's keys for the schema.
    var keys: SchemaKeys {
        let list = LayerField.table.filter { $0.block == self }.map { field in
            KeyDescription(
                name: field.key, isRequired: field.metric?.isOptional != true, metric: field.metric)
        }
        return SchemaKeys(list)
    }
}

/// The keys of all objects. Created once; each decoder holds a copy, to avoid a lookup per object.
///
/// One description serves parsing, missing fields, error paths and the order of errors.
struct PayloadSchema: Sendable {
    static let shared = PayloadSchema()

    let payload = PayloadKey.keys
    let metadata = MetadataKey.keys
    let layer = LayerKey.keys
    let features = LayerBlock.features.keys
    let gradient = LayerBlock.gradient.keys
    let parameters = ParametersKey.keys
    let weight = LayerBlock.weight.keys
    let bias = LayerBlock.bias.keys
    let crossLayer = CrossLayerKey.keys
    /// The number of columns of a layer.
    let columns = LayerMetric.count

    @inline(__always)
    subscript(object: PayloadObject) -> SchemaKeys {
        switch object {
        case .payload: payload
        case .metadata: metadata
        case .layer: layer
        case .features: features
        case .gradient: gradient
        case .parameters: parameters
        case .weight: weight
        case .bias: bias
        case .crossLayer: crossLayer
        }
    }
}
