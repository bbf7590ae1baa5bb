/// The objects of a payload and their keys.
///
/// One description serves parsing, missing fields, error paths and the order of errors.
enum PayloadObject: UInt8 {
    case payload, metadata, layer, features, gradient, parameters, weight, bias, crossLayer

    /// The keys in schema order. Their indices are the decoder's field numbers.
    var keys: KeyList { PayloadSchema.shared[self] }

    /// The enclosing object, and the field of this object in it; `nil` for the payload.
    var parent: (object: PayloadObject, field: Int)? {
        switch self {
        case .payload: nil
        case .metadata: (.payload, 0)
        case .layer: (.payload, 1)
        case .crossLayer: (.payload, 2)
        case .features: (.layer, 3)
        case .gradient: (.layer, 4)
        case .parameters: (.layer, 5)
        case .weight: (.parameters, 0)
        case .bias: (.parameters, 1)
        }
    }
}

/// The keys of all objects. Created once; each pass holds a copy, to avoid a lookup per object.
struct PayloadSchema: Sendable {
    static let shared = PayloadSchema()

    let payload = KeyList(["metadata", "layer_statistics", "cross_layer_analysis"], required: 0b111)
    let metadata = KeyList(["run_id", "timestamp", "global_step", "batch_size", "layer_groups"], required: 0b01111)
    let layer = KeyList(
        [
            "layer_id", "layer_type", "depth_index", "intermediate_features", "gradient_flow", "parameter_statistics",
        ], required: 0b111111)
    let features = KeyList(
        ["activation_std", "activation_mean", "activation_shape", "cross_layer_std_ratio"], required: 0b0111)
    let gradient = KeyList(["gradient_l2_norm", "gradient_std", "gradient_max_abs"], required: 0b111)
    let parameters = KeyList(["weight", "bias"], required: 0b01)
    let weight = KeyList(["std", "mean", "spectral_norm", "frobenius_norm"], required: 0b1111)
    let bias = KeyList(["std", "mean_abs"], required: 0b11)
    let crossLayer = KeyList(["feature_std_gradient", "gradient_norm_ratio"], required: 0b01)

    @inline(__always)
    subscript(object: PayloadObject) -> KeyList {
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
