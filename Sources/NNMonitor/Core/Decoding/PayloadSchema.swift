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
@safe struct KeyList: Sendable {
    /// A key of at most 24 bytes as three words, for comparing without a loop.
    private struct Key: Sendable {
        var words = (UInt64(0), UInt64(0), UInt64(0))
        /// The bits of each word that belong to the key.
        var masks = (UInt64(0), UInt64(0), UInt64(0))
        let count: Int

        init(_ name: StaticString) {
            count = name.utf8CodeUnitCount
            precondition(count <= 24, "keys of the schema have at most 24 bytes")
            func word(_ index: Int, _ byte: (Int) -> UInt64) -> UInt64 {
                (0..<8).reduce(0) { word, place in
                    index * 8 + place < count ? word | byte(index * 8 + place) << UInt64(place * 8) : word
                }
            }
            let byte: (Int) -> UInt64 = { unsafe UInt64(name.utf8Start[$0]) }
            words = (word(0, byte), word(1, byte), word(2, byte))
            masks = (word(0) { _ in 0xFF }, word(1) { _ in 0xFF }, word(2) { _ in 0xFF })
        }
    }

    let names: [StaticString]
    /// Bit n is set when field n must be there.
    let required: UInt32
    /// Written once, before anybody can see it, and never freed: a key list lives as long as the program. So it may be
    /// read from any thread, which the compiler can't know of a pointer.
    nonisolated(unsafe) private let keys: UnsafePointer<Key>
    private let count: Int

    init(_ names: [StaticString], required: UInt32) {
        self.names = names
        self.required = required
        count = names.count
        let keys = UnsafeMutablePointer<Key>.allocate(capacity: names.count)
        for (index, name) in names.enumerated() { unsafe (keys + index).initialize(to: Key(name)) }
        unsafe self.keys = unsafe UnsafePointer(keys)
    }

    /// The field that a key names; `nil` for an unknown key.
    ///
    /// - Parameters:
    ///   - key: the key as it stands in the text.
    ///   - reader: the text.
    ///   - expected: the field to try first. Trainers post the same keys in the same order.
    /// - Returns: the field's number.
    @inline(__always)
    func field(_ key: RawString, in reader: JSONReader, expected: Int) -> Int? {
        if unsafe !key.hasEscapes && expected < count && Self.same(keys + expected, key.range, reader) {
            return expected
        }
        return search(key, in: reader)
    }

    private func search(_ key: RawString, in reader: JSONReader) -> Int? {
        if key.hasEscapes {
            var bytes: [UInt8] = []
            guard reader.append(key, to: &bytes) else { return nil }
            return names.indices.first { index in
                unsafe UnsafeBufferPointer(start: names[index].utf8Start, count: names[index].utf8CodeUnitCount)
                    .elementsEqual(bytes)
            }
        }
        for index in 0..<count where unsafe Self.same(keys + index, key.range, reader) { return index }
        return nil
    }

    @inline(__always)
    private static func same(_ key: UnsafePointer<Key>, _ range: Range<Int>, _ reader: JSONReader) -> Bool {
        guard unsafe key.pointee.count == range.count else { return false }
        // Words may reach beyond the key into what follows, which the masks leave out.
        let first = unsafe reader.paddedWord(at: range.lowerBound) & key.pointee.masks.0 ^ key.pointee.words.0
        if unsafe key.pointee.count <= 8 { return first == 0 }
        let second = unsafe reader.paddedWord(at: range.lowerBound &+ 8) & key.pointee.masks.1 ^ key.pointee.words.1
        if unsafe key.pointee.count <= 16 { return first | second == 0 }
        return unsafe first | second
            | (reader.paddedWord(at: range.lowerBound &+ 16) & key.pointee.masks.2 ^ key.pointee.words.2) == 0
    }
}
