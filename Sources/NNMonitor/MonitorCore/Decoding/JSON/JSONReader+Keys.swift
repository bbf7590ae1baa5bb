/// Reads object keys: any key, or a specific key of the schema.
extension JSONReader {
    /// Reads the next key of an object, or the end of the object.
    ///
    /// - Parameter first: whether no key of the object has been read yet; set to false.
    /// - Returns: the range of the key between its quotes, and whether it has escapes; `nil` at the end of the object.
    /// - Throws: a syntax error.
    @inline(__always)
    mutating func nextKey(first: inout Bool) throws(JSONSyntaxError) -> RawString? {
        skipWhitespace()
        if consumeObjectEnd() { return nil }
        if !first {
            guard next == UInt8(ascii: ",") else { throw unexpected() }
            move(to: offset &+ 1)
            skipWhitespace()
        }
        first = false
        guard next == UInt8(ascii: "\"") else { throw unexpected() }
        let key = try string()
        skipWhitespace()
        guard next == UInt8(ascii: ":") else { throw unexpected() }
        move(to: offset &+ 1)
        skipWhitespace()
        return key
    }

    /// Consumes `}` if it is next.
    @inline(__always)
    mutating func consumeObjectEnd() -> Bool {
        guard next == UInt8(ascii: "}") else { return false }
        close()
        return true
    }

    /// Consumes a key, its colon and the white space after it, if exactly this key is next and has no escapes.
    /// Otherwise the reader does not move.
    ///
    /// - Parameters:
    ///   - key: the expected key.
    ///   - first: whether no key of the object has been read yet; set to false if the key was consumed.
    /// - Returns: whether the key was consumed.
    @inline(__always)
    mutating func consumeKey(_ key: SchemaKey, first: inout Bool) -> Bool {
        guard let window = text.window(at: offset) else { return false }
        var start = 0
        if !first {
            guard window.byte(0) == UInt8(ascii: ",") else { return false }
            // A predicted branch (see `length(of:in:at:)`).
            start = _fastPath(window.byte(1) == 0x20) ? 2 : 1
        }
        guard let length = Self.length(of: key, in: window, at: start) else { return false }
        move(to: offset &+ length)
        first = false
        skipWhitespace()
        return true
    }

    /// Like `consumeKey(_:first:)`, but allows any white space before the key, as in indented payloads. Not inlined:
    /// compact payloads get here only if an object omits a field.
    @inline(never)
    mutating func consumeSpacedKey(_ key: SchemaKey, first: inout Bool) -> Bool {
        var index = whitespaceEnd(from: offset)
        if !first {
            guard text[index] == UInt8(ascii: ",") else { return false }
            index = whitespaceEnd(from: index &+ 1)
        }
        guard let window = text.window(at: index), let length = Self.length(of: key, in: window, at: 0) else {
            return false
        }
        move(to: index &+ length)
        first = false
        skipWhitespace()
        return true
    }

    /// Compares a window with a key in quotes, and a colon after it.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - window: the text. Quote, longest key, quote, colon and space are at most 28 bytes.
    ///   - start: the index of the quote; at most 2.
    /// - Returns: the index after the colon and one space; `nil` if the text differs.
    @inline(__always)
    private static func length(of key: SchemaKey, in window: TextWindow, at start: Int) -> Int? {
        guard window.byte(start) == UInt8(ascii: "\"") else { return nil }
        // The words may extend past the key; the masks exclude those bytes.
        let difference =
            (window.word(start &+ 1) & key.masks.0 ^ key.words.0)
            | (window.word(start &+ 9) & key.masks.1 ^ key.words.1)
            | (window.word(start &+ 17) & key.masks.2 ^ key.words.2)
        let end = start &+ 1 &+ key.count
        let rest = window.word(end)
        guard difference == 0, rest & 0xFFFF == Self.quoteAndColon else { return nil }
        // A predicted branch: the spaces of a payload follow one pattern. Without the hint the compiler computes the
        // index from the byte, and the loads of all later tokens wait for it.
        return _fastPath((rest >> 16) & 0xFF == 0x20) ? end &+ 3 : end &+ 2
    }

    /// `":` as a little-endian word.
    private static let quoteAndColon: UInt64 = 0x3A22
}
