/// A violation of JSON syntax and its position.
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
    /// Offset of the offending byte; the length of the text if the text ends too early.
    let offset: Int
}

/// A pull parser for JSON: the caller requests the expected value. It builds no tree.
///
/// Accepts RFC 8259 with an optional BOM, and the tokens `NaN`, `Infinity` and `-Infinity`, which Python writes.
///
/// Memory: every access checks that the index is below `count`, or reads bytes that were checked before. `bytes(_:)`
/// returns a pointer into the text. All pointers are valid because a reader and its callers exist only inside the
/// `withUnsafe…` call that provides the text.
@safe struct JSONReader {
    /// The maximum nesting depth.
    static let maximumDepth = 64

    private let base: UnsafePointer<UInt8>
    let count: Int
    let powers = PowersOfFive.shared
    private(set) var offset = 0
    private var depth = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // The base address of an empty buffer may be nil. The substitute is never dereferenced, because `count` is 0.
        unsafe base = unsafe bytes.baseAddress ?? UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        count = bytes.count
        if unsafe count >= 3 && base[0] == 0xEF && base[1] == 0xBB && base[2] == 0xBF { offset = 3 }
    }

    // MARK: Bytes

    /// The next byte. At the end 0, which is not valid JSON outside strings.
    @inline(__always)
    var next: UInt8 { unsafe offset < count ? base[offset] : 0 }

    /// The error for an unexpected byte or the end of the text.
    ///
    /// - Parameter offset: the position of the byte; by default that of the reader.
    /// - Returns: the error.
    func unexpected(at offset: Int? = nil) -> JSONSyntaxError {
        let offset = offset ?? self.offset
        return JSONSyntaxError(problem: offset < count ? .unexpectedByte : .unexpectedEnd, offset: min(offset, count))
    }

    func failure(_ problem: JSONSyntaxError.Problem, at offset: Int) -> JSONSyntaxError {
        JSONSyntaxError(problem: problem, offset: offset)
    }

    /// The bytes of a range that this reader has already consumed.
    @inline(__always)
    func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    @inline(__always)
    func byte(at index: Int) -> UInt8 { unsafe index < count ? base[index] : 0 }

    /// The byte at an index. The caller must have checked that the index is below `count`.
    @inline(__always)
    func byte(within index: Int) -> UInt8 {
        assert(index >= 0 && index < count)
        return unsafe base[index]
    }

    @inline(__always)
    /// Eight bytes as a little-endian word. The caller must have checked that `index + 8` is at most `count`.
    func word(within index: Int) -> UInt64 {
        assert(index >= 0 && index &+ 8 <= count)
        return unsafe UInt64(littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
    }

    /// Eight bytes as a little-endian word; `nil` if fewer are left.
    @inline(__always)
    func word(at index: Int) -> UInt64? {
        guard index &+ 8 <= count else { return nil }
        return unsafe UInt64(littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
    }

    /// Eight bytes as a little-endian word; bytes beyond the end are zero.
    @inline(__always)
    func paddedWord(at index: Int) -> UInt64 {
        if let word = word(at: index) { return word }
        return (0..<8).reduce(0) { $0 | UInt64(byte(at: index + $1)) << UInt64($1 * 8) }
    }

    @inline(__always)
    mutating func move(to index: Int) { offset = index }

    /// Consumes white space: space, tab, CR, LF.
    @inline(__always)
    mutating func skipWhitespace() {
        // Fast path: usually there is none.
        guard unsafe offset < count && base[offset] <= 0x20 else { return }
        offset = whitespaceEnd(from: offset)
    }

    /// The end of the white space that starts at an index.
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

    /// Whether the text is empty.
    var isEmpty: Bool { count == 0 }

    /// Checks that only white space follows.
    mutating func finish() throws(JSONSyntaxError) {
        skipWhitespace()
        if offset < count { throw failure(.trailingBytes, at: offset) }
    }

    /// Consumes `}` or `]`, which must be next.
    @inline(__always)
    mutating func close() {
        offset &+= 1
        depth &-= 1
    }

    /// Consumes `{` or `[`, which must be next.
    @inline(__always)
    mutating func open() throws(JSONSyntaxError) {
        depth += 1
        if depth > Self.maximumDepth { throw failure(.tooDeep, at: offset) }
        offset &+= 1
    }

    /// Moves to the next element of a list, or past its end.
    ///
    /// - Parameter first: whether no element has been read yet; set to false.
    /// - Returns: whether there is another element.
    /// - Throws: a syntax error.
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

    /// Consumes an empty list if it is next. Otherwise the reader does not move.
    mutating func passEmptyList() -> Bool {
        guard next == UInt8(ascii: "[") else { return false }
        let end = whitespaceEnd(from: offset &+ 1)
        guard byte(at: end) == UInt8(ascii: "]") else { return false }
        move(to: end &+ 1)
        return true
    }

    /// Consumes a literal word, such as `true`.
    mutating func word(_ word: StaticString) throws(JSONSyntaxError) {
        // The index is below the word's length, and the bytes of a `StaticString` live as long as the program.
        for index in 0..<word.utf8CodeUnitCount {
            guard unsafe next == word.utf8Start[index] else { throw unexpected() }
            offset &+= 1
        }
    }

    /// Consumes a value of any kind and checks its syntax.
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
