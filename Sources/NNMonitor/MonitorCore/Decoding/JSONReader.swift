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
    func whitespaceEnd(from start: Int) -> Int {
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

    /// Passes `}` or `]`, which is there.
    @inline(__always)
    mutating func close() {
        offset &+= 1
        depth &-= 1
    }

    /// Passes `{` or `[`.
    @inline(__always)
    mutating func open() throws(JSONSyntaxError) {
        depth += 1
        if depth > Self.maximumDepth { throw failure(.tooDeep, at: offset) }
        offset &+= 1
    }

    /// Reads on in a list.
    ///
    /// - Returns: whether there is another element; the reader stands at it.
    @inline(__always)
    mutating func nextElement(first: inout Bool) throws(JSONSyntaxError) -> Bool {
        skipWhitespace()
        if next == UInt8(ascii: "]") {
            close()
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

    /// Passes an empty list, if it comes next. Otherwise the reader stays where it is.
    mutating func passEmptyList() -> Bool {
        guard next == UInt8(ascii: "[") else { return false }
        let end = whitespaceEnd(from: offset &+ 1)
        guard byte(at: end) == UInt8(ascii: "]") else { return false }
        move(to: end &+ 1)
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
