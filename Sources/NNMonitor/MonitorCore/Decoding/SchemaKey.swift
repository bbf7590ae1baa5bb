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
