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
        if passEnd() { return nil }
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
    mutating func passEnd() -> Bool {
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
    mutating func passKey(_ key: SchemaKey, first: inout Bool) -> Bool {
        // Bounds check for every access below: comma, space, quote, longest key, quote, colon and space are at most 30
        // bytes.
        guard offset &+ 32 <= count else { return false }
        var index = offset
        if !first {
            guard byte(within: index) == UInt8(ascii: ",") else { return false }
            index &+= byte(within: index &+ 1) == 0x20 ? 2 : 1
        }
        return pass(key, at: index, first: &first)
    }

    /// Like `passKey(_:first:)`, but allows any white space before the key, as in indented payloads. Not inlined:
    /// compact payloads get here only if an object omits a field.
    @inline(never)
    mutating func passSpacedKey(_ key: SchemaKey, first: inout Bool) -> Bool {
        var index = whitespaceEnd(from: offset)
        if !first {
            guard byte(at: index) == UInt8(ascii: ",") else { return false }
            index = whitespaceEnd(from: index &+ 1)
        }
        // Bounds check for `pass`: quote, longest key, quote, colon and space are at most 28 bytes.
        guard index &+ 30 <= count else { return false }
        return pass(key, at: index, first: &first)
    }

    /// Consumes a key at an index that is at least 30 bytes before the end.
    @inline(__always)
    private mutating func pass(_ key: SchemaKey, at start: Int, first: inout Bool) -> Bool {
        var index = start
        guard byte(within: index) == UInt8(ascii: "\"") else { return false }
        // The words may extend past the key; the masks exclude those bytes.
        let difference =
            (word(within: index &+ 1) & key.masks.0 ^ key.words.0)
            | (word(within: index &+ 9) & key.masks.1 ^ key.words.1)
            | (word(within: index &+ 17) & key.masks.2 ^ key.words.2)
        index &+= key.count &+ 1
        guard difference == 0, byte(within: index) == UInt8(ascii: "\""), byte(within: index &+ 1) == UInt8(ascii: ":")
        else { return false }
        index &+= 2
        if byte(within: index) == 0x20 { index &+= 1 }
        move(to: index)
        first = false
        skipWhitespace()
        return true
    }
}
