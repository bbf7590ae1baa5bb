/// The objects of a payload, and the keys that each may have.
///
/// One description for reading (which key is which), for `missing`, for the path of an error and for the order of
/// errors.
enum PayloadObject: UInt8 {
    case payload, metadata, layer, features, gradient, parameters, weight, bias, crossLayer

    /// The keys, in schema order. Their positions are the field numbers that the decoder uses.
    var keys: KeyList {
        switch self {
        case .payload: Self.payloadKeys
        case .metadata: Self.metadataKeys
        case .layer: Self.layerKeys
        case .features: Self.featureKeys
        case .gradient: Self.gradientKeys
        case .parameters: Self.parameterKeys
        case .weight: Self.weightKeys
        case .bias: Self.biasKeys
        case .crossLayer: Self.crossLayerKeys
        }
    }

    /// The object that this one stands in, and its field there.
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

    private static let payloadKeys = KeyList(
        ["metadata", "layer_statistics", "cross_layer_analysis"], required: 0b111)
    private static let metadataKeys = KeyList(
        ["run_id", "timestamp", "global_step", "batch_size", "layer_groups"], required: 0b01111)
    private static let layerKeys = KeyList(
        [
            "layer_id", "layer_type", "depth_index", "intermediate_features", "gradient_flow", "parameter_statistics",
        ], required: 0b111111)
    private static let featureKeys = KeyList(
        ["activation_std", "activation_mean", "activation_shape", "cross_layer_std_ratio"], required: 0b0111)
    private static let gradientKeys = KeyList(
        ["gradient_l2_norm", "gradient_std", "gradient_max_abs"], required: 0b111)
    private static let parameterKeys = KeyList(["weight", "bias"], required: 0b01)
    private static let weightKeys = KeyList(
        ["std", "mean", "spectral_norm", "frobenius_norm"], required: 0b1111)
    private static let biasKeys = KeyList(["std", "mean_abs"], required: 0b11)
    private static let crossLayerKeys = KeyList(
        ["feature_std_gradient", "gradient_norm_ratio"], required: 0b01)
}

/// The keys of an object.
struct KeyList: Sendable {
    let names: [StaticString]
    /// Bit n is set when field n must be there.
    let required: UInt32

    init(_ names: [StaticString], required: UInt32) {
        self.names = names
        self.required = required
    }

    /// The field that a key names; `nil` for an unknown key.
    ///
    /// - Parameters:
    ///   - key: the bytes between the quotes.
    ///   - expected: the field to try first. Trainers post the same keys in the same order.
    /// - Returns: the field's number.
    @inline(__always)
    func field(_ key: UnsafeBufferPointer<UInt8>, expected: Int) -> Int? {
        if expected < names.count && Self.same(names[expected], key) { return expected }
        return names.indices.first { Self.same(names[$0], key) }
    }

    @inline(__always)
    private static func same(_ name: StaticString, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
        guard name.utf8CodeUnitCount == key.count else { return false }
        for index in 0..<key.count where name.utf8Start[index] != key[index] { return false }
        return true
    }
}
