/// A key of the schema, at most 24 bytes. It is stored as three words so that comparing it needs no loop.
struct SchemaKey: Sendable {
    /// The maximum length in bytes.
    static let maximum = 24

    let name: StaticString
    let count: Int
    /// The bytes of the key, padded with zeros.
    let words: (UInt64, UInt64, UInt64)
    /// For each word, the bits that belong to the key.
    let masks: (UInt64, UInt64, UInt64)

    init(_ name: StaticString) {
        let count = name.utf8CodeUnitCount
        precondition(count <= Self.maximum, "keys of the schema have at most 24 bytes")
        func word(_ index: Int, _ byte: (Int) -> UInt64) -> UInt64 {
            (0..<8).reduce(0) { word, place in
                index * 8 + place < count ? word | byte(index * 8 + place) << UInt64(place * 8) : word
            }
        }
        // `word` passes only indices below `count`, and the bytes of a `StaticString` live as long as the program.
        let byte: (Int) -> UInt64 = { unsafe UInt64(name.utf8Start[$0]) }
        self.name = name
        self.count = count
        words = (word(0, byte), word(1, byte), word(2, byte))
        masks = (word(0) { _ in 0xFF }, word(1) { _ in 0xFF }, word(2) { _ in 0xFF })
    }
}

/// The keys of a schema object.
///
/// Memory: `init` allocates and initializes `count` keys, which are never freed. `subscript` checks every index. Lists
/// are created only for `PayloadSchema.shared`, so the memory is bounded.
@safe struct KeyList: Sendable {
    /// Bit n is set if field n is required.
    let required: UInt32
    let count: Int
    /// `nonisolated(unsafe)` is sound: the memory is written before the pointer is published, and is neither changed
    /// nor freed afterwards. A pointer, because an array would be retained for each object of a payload.
    nonisolated(unsafe) private let keys: UnsafePointer<SchemaKey>

    init(_ names: [StaticString], required: UInt32) {
        self.required = required
        count = names.count
        let keys = UnsafeMutablePointer<SchemaKey>.allocate(capacity: names.count)
        // The loop initializes exactly the allocated elements.
        for (index, name) in names.enumerated() { unsafe (keys + index).initialize(to: SchemaKey(name)) }
        unsafe self.keys = unsafe UnsafePointer(keys)
    }

    /// The key of a field, which must be in the list.
    @inline(__always)
    subscript(field: Int) -> SchemaKey {
        precondition(field >= 0 && field < count)
        // The precondition keeps the index inside the allocation.
        return unsafe keys[field]
    }

    /// Finds the field of a key.
    ///
    /// - Parameters:
    ///   - key: a key that `reader` scanned.
    ///   - reader: the text.
    /// - Returns: the field's number; `nil` for an unknown key.
    func field(_ key: RawString, in reader: JSONReader) -> Int? {
        // Without escapes the bytes of the text are compared directly. The text outlives `reader`.
        if !key.hasEscapes { return unsafe field(reader.bytes(key.range)) }
        var bytes: [UInt8] = []
        guard reader.append(key, to: &bytes) else { return nil }
        // The pointer is used only inside the closure.
        return unsafe bytes.withUnsafeBufferPointer { unsafe field($0) }
    }

    private func field(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        // The bytes of a `StaticString` live as long as the program; the caller keeps `bytes` valid during the call.
        (0..<count).first { field in
            let name = self[field].name
            return name.utf8CodeUnitCount == bytes.count
                && name.withUTF8Buffer { unsafe $0.elementsEqual(bytes) }
        }
    }
}
