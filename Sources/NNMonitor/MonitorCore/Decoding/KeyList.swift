/// A key of the schema: at most 24 bytes, as three words, for comparing without a loop.
struct SchemaKey: Sendable {
    /// The longest key, in bytes.
    static let maximum = 24

    let name: StaticString
    let count: Int
    /// The bytes of the key, then zeros.
    let words: (UInt64, UInt64, UInt64)
    /// The bits of each word that belong to the key.
    let masks: (UInt64, UInt64, UInt64)

    init(_ name: StaticString) {
        let count = name.utf8CodeUnitCount
        precondition(count <= Self.maximum, "keys of the schema have at most 24 bytes")
        func word(_ index: Int, _ byte: (Int) -> UInt64) -> UInt64 {
            (0..<8).reduce(0) { word, place in
                index * 8 + place < count ? word | byte(index * 8 + place) << UInt64(place * 8) : word
            }
        }
        // Every place is below `count`, and a literal's bytes are there as long as the program.
        let byte: (Int) -> UInt64 = { unsafe UInt64(name.utf8Start[$0]) }
        self.name = name
        self.count = count
        words = (word(0, byte), word(1, byte), word(2, byte))
        masks = (word(0) { _ in 0xFF }, word(1) { _ in 0xFF }, word(2) { _ in 0xFF })
    }
}

/// The keys of an object. It lives as long as the program.
///
/// Memory: the `count` keys are allocated and written in `init`, and never freed; every index is looked at.
@safe struct KeyList: Sendable {
    /// Bit n is set when field n must be there.
    let required: UInt32
    let count: Int
    /// Written once, before anybody can see it, and never freed. So it may be read from any thread, which the compiler
    /// can't know of a pointer. A pointer and no array, because an array would be retained for each object of a payload.
    nonisolated(unsafe) private let keys: UnsafePointer<SchemaKey>

    init(_ names: [StaticString], required: UInt32) {
        self.required = required
        count = names.count
        let keys = UnsafeMutablePointer<SchemaKey>.allocate(capacity: names.count)
        // As many as were allocated.
        for (index, name) in names.enumerated() { unsafe (keys + index).initialize(to: SchemaKey(name)) }
        unsafe self.keys = unsafe UnsafePointer(keys)
    }

    /// A key, which must be one of the list's.
    @inline(__always)
    subscript(field: Int) -> SchemaKey {
        precondition(field >= 0 && field < count)
        // Within the bounds, as was just looked at.
        return unsafe keys[field]
    }

    /// The field that a key names; `nil` for an unknown key.
    ///
    /// - Parameters:
    ///   - key: the key as it stands in the text.
    ///   - reader: the text.
    /// - Returns: the field's number.
    func field(_ key: RawString, in reader: JSONReader) -> Int? {
        // As it stands there, without a copy, unless it has escapes. The bytes are the text's.
        if !key.hasEscapes { return unsafe field(reader.bytes(key.range)) }
        var bytes: [UInt8] = []
        guard reader.append(key, to: &bytes) else { return nil }
        // The bytes are the array's, for the call only.
        return unsafe bytes.withUnsafeBufferPointer { unsafe field($0) }
    }

    private func field(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        // The name is a literal, whose bytes are there as long as the program; `bytes` are lent for the call.
        (0..<count).first { field in
            let name = self[field].name
            return name.utf8CodeUnitCount == bytes.count
                && name.withUTF8Buffer { unsafe $0.elementsEqual(bytes) }
        }
    }
}
