/// The keys of objects: any, or the one that the schema has next.
extension JSONReader {
    /// Reads on in an object: the next key, or its end.
    ///
    /// - Returns: the range of the key's bytes between its quotes, and whether it has escapes; `nil` at the end.
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

    /// Passes the end of an object, if it comes next.
    @inline(__always)
    mutating func passEnd() -> Bool {
        guard next == UInt8(ascii: "}") else { return false }
        close()
        return true
    }

    /// Passes a key of an object, its colon, and the white space behind it, if it is the one that comes next and is
    /// written without escapes. Otherwise the reader stays where it is.
    ///
    /// - Parameters:
    ///   - key: the key to compare with.
    ///   - first: whether no key of the object has been passed before; false when this has passed one.
    /// - Returns: whether it was passed.
    @inline(__always)
    mutating func passKey(_ key: SchemaKey, first: inout Bool) -> Bool {
        // A comma, a space, a quote, the longest key, a quote, a colon, a space: all that is looked at below is there.
        guard offset &+ 32 <= count else { return false }
        var index = offset
        if !first {
            guard byte(within: index) == UInt8(ascii: ",") else { return false }
            index &+= byte(within: index &+ 1) == 0x20 ? 2 : 1
        }
        return pass(key, at: index, first: &first)
    }

    /// The same with any white space before the key: a payload that is indented, or written with spaces. Out of line,
    /// since compact ones come here only where an object leaves a field out.
    @inline(never)
    mutating func passSpacedKey(_ key: SchemaKey, first: inout Bool) -> Bool {
        var index = whitespaceEnd(from: offset)
        if !first {
            guard byte(at: index) == UInt8(ascii: ",") else { return false }
            index = whitespaceEnd(from: index &+ 1)
        }
        // A quote, the longest key, a quote, a colon, a space.
        guard index &+ 30 <= count else { return false }
        return pass(key, at: index, first: &first)
    }

    /// Passes a key that begins at an index, which is at least 30 bytes before the end.
    @inline(__always)
    private mutating func pass(_ key: SchemaKey, at start: Int, first: inout Bool) -> Bool {
        var index = start
        guard byte(within: index) == UInt8(ascii: "\"") else { return false }
        // Words may reach beyond the key into what follows, which the masks leave out.
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
