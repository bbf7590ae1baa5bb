/// What a JSON text breaks, and where.
struct JSONSyntaxError: Error, Equatable {
    enum Problem: Equatable {
        case unexpectedByte
        case unexpectedEnd
        case invalidUTF8
        case invalidEscape
        case controlCharacter
        case tooDeep
        case trailingBytes
    }

    let problem: Problem
    /// Offset of the offending byte from the start of the text; its length where the text ends too soon.
    let offset: Int
}

/// Reads JSON from left to right, without building a tree: the caller says what it expects, and reads it.
///
/// Accepts RFC 8259, with a BOM before it, and the tokens `NaN`, `Infinity` and `-Infinity` that Python writes.
///
/// Memory: this struct is the fence around the pointer. Every access checks that it is below `count`, or is of bytes that
/// were checked before. The pointer is valid because a reader lives inside the `withUnsafe…` call that lends the bytes.
@safe struct JSONReader {
    /// Levels of nesting that are read.
    static let maximumDepth = 64

    private let base: UnsafePointer<UInt8>
    let count: Int
    let powers = PowersOfFive.shared
    private(set) var offset = 0
    private var depth = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // An empty buffer may have no address; any other will do, since nothing is read of it.
        unsafe base = unsafe bytes.baseAddress ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        count = bytes.count
        if unsafe count >= 3 && base[0] == 0xEF && base[1] == 0xBB && base[2] == 0xBF { offset = 3 }
    }

    // MARK: Bytes

    /// The next byte; 0, which is no part of JSON outside of strings, at the end.
    @inline(__always)
    var next: UInt8 { unsafe offset < count ? base[offset] : 0 }

    /// The error for what stands at the offset: an unexpected byte, or the end.
    func unexpected(at offset: Int? = nil) -> JSONSyntaxError {
        let offset = offset ?? self.offset
        return JSONSyntaxError(problem: offset < count ? .unexpectedByte : .unexpectedEnd, offset: min(offset, count))
    }

    func failure(_ problem: JSONSyntaxError.Problem, at offset: Int) -> JSONSyntaxError {
        JSONSyntaxError(problem: problem, offset: offset)
    }

    /// The bytes of a range that was read before.
    @inline(__always)
    func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    @inline(__always)
    func byte(at index: Int) -> UInt8 { unsafe index < count ? base[index] : 0 }

    /// A byte, and eight bytes as a little-endian word, where the caller knows that they are there.
    @inline(__always)
    func byte(within index: Int) -> UInt8 {
        assert(index >= 0 && index < count)
        return unsafe base[index]
    }

    @inline(__always)
    func word(within index: Int) -> UInt64 {
        assert(index >= 0 && index &+ 8 <= count)
        return unsafe UInt64(littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
    }

    /// Eight bytes as a little-endian word, where that many are left.
    @inline(__always)
    func word(at index: Int) -> UInt64? {
        guard index &+ 8 <= count else { return nil }
        return unsafe UInt64(littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
    }

    /// Eight bytes as a little-endian word, with zeros for those beyond the end.
    @inline(__always)
    func paddedWord(at index: Int) -> UInt64 {
        if let word = word(at: index) { return word }
        return (0..<8).reduce(0) { $0 | UInt64(byte(at: index + $1)) << UInt64($1 * 8) }
    }

    @inline(__always)
    mutating func move(to index: Int) { offset = index }

    /// Passes white space: space, tab, CR, LF.
    @inline(__always)
    mutating func skipWhitespace() {
        // Mostly there is none, and one comparison tells.
        guard unsafe offset < count && base[offset] <= 0x20 else { return }
        offset = whitespaceEnd(from: offset)
    }

    /// Where white space that begins at an index ends.
    @inline(__always)
    private func whitespaceEnd(from start: Int) -> Int {
        var index = start
        while index < count {
            let byte = unsafe base[index]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { break }
            index &+= 1
        }
        return index
    }

    // MARK: Structure

    /// Whether there is no text at all.
    var isEmpty: Bool { count == 0 }

    /// Ends the reading: nothing but white space may be left.
    mutating func finish() throws(JSONSyntaxError) {
        skipWhitespace()
        if offset < count { throw failure(.trailingBytes, at: offset) }
    }

    /// Passes `{` or `[`.
    @inline(__always)
    mutating func open() throws(JSONSyntaxError) {
        depth += 1
        if depth > Self.maximumDepth { throw failure(.tooDeep, at: offset) }
        offset &+= 1
    }

    /// Reads on in an object: the next key, or its end.
    ///
    /// - Returns: the range of the key's bytes between its quotes, and whether it has escapes; `nil` at the end.
    @inline(__always)
    mutating func nextKey(first: inout Bool) throws(JSONSyntaxError) -> RawString? {
        skipWhitespace()
        if next == UInt8(ascii: "}") && offset < count {
            offset &+= 1
            depth -= 1
            return nil
        }
        if !first {
            guard next == UInt8(ascii: ",") else { throw unexpected() }
            offset &+= 1
            skipWhitespace()
        }
        first = false
        guard next == UInt8(ascii: "\"") else { throw unexpected() }
        let key = try string()
        skipWhitespace()
        guard next == UInt8(ascii: ":") else { throw unexpected() }
        offset &+= 1
        skipWhitespace()
        return key
    }

    /// Passes the end of an object, if it comes next.
    @inline(__always)
    mutating func passEnd() -> Bool {
        guard next == UInt8(ascii: "}") else { return false }
        offset &+= 1
        depth &-= 1
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
            guard unsafe base[index] == UInt8(ascii: ",") else { return false }
            index &+= unsafe base[index &+ 1] == 0x20 ? 2 : 1
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
        guard unsafe base[index] == UInt8(ascii: "\"") else { return false }
        let text = unsafe UnsafeRawPointer(base + (index &+ 1))
        // Words may reach beyond the key into what follows, which the masks leave out.
        let difference =
            unsafe (text.loadUnaligned(as: UInt64.self).littleEndian & key.masks.0 ^ key.words.0)
            | (text.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian & key.masks.1 ^ key.words.1)
            | (text.loadUnaligned(fromByteOffset: 16, as: UInt64.self).littleEndian & key.masks.2 ^ key.words.2)
        index &+= key.count &+ 1
        guard difference == 0, unsafe base[index] == UInt8(ascii: "\""), unsafe base[index &+ 1] == UInt8(ascii: ":")
        else { return false }
        index &+= 2
        if unsafe base[index] == 0x20 { index &+= 1 }
        offset = index
        first = false
        skipWhitespace()
        return true
    }

    /// Reads on in a list.
    ///
    /// - Returns: whether there is another element; the reader stands at it.
    @inline(__always)
    mutating func nextElement(first: inout Bool) throws(JSONSyntaxError) -> Bool {
        skipWhitespace()
        if next == UInt8(ascii: "]") {
            offset &+= 1
            depth -= 1
            return false
        }
        if !first {
            guard next == UInt8(ascii: ",") else { throw unexpected() }
            offset &+= 1
            skipWhitespace()
        }
        first = false
        return true
    }

    /// Passes a known word.
    mutating func word(_ word: StaticString) throws(JSONSyntaxError) {
        // A literal's bytes are there as long as the program.
        for index in 0..<word.utf8CodeUnitCount {
            guard unsafe next == word.utf8Start[index] else { throw unexpected() }
            offset &+= 1
        }
    }

    /// Passes a whole value of any kind, checking its syntax.
    mutating func skipValue() throws(JSONSyntaxError) {
        switch next {
        case UInt8(ascii: "{"):
            try open()
            var first = true
            while try nextKey(first: &first) != nil { try skipValue() }
        case UInt8(ascii: "["):
            try open()
            var first = true
            while try nextElement(first: &first) { try skipValue() }
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case UInt8(ascii: "N"): try word("NaN")
        case UInt8(ascii: "I"): try word("Infinity")
        default: _ = try number()
        }
    }
}
