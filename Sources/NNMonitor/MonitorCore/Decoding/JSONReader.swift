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
struct JSONReader {
    /// The maximum nesting depth.
    static let maximumDepth = 64

    let text: TextBytes
    let powers = PowersOfFive.shared
    private(set) var offset = 0
    private var depth = 0

    /// - Parameter bytes: the text. It must outlive the reader.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        text = unsafe TextBytes(bytes)
        if text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF { offset = 3 }
    }

    // MARK: Bytes

    /// The next byte. At the end 0, which is not valid JSON outside strings.
    @inline(__always)
    var next: UInt8 { text[offset] }

    /// The error for an unexpected byte or the end of the text.
    ///
    /// - Parameter offset: the position of the byte; by default that of the reader.
    /// - Returns: the error.
    func unexpected(at offset: Int? = nil) -> JSONSyntaxError {
        let offset = offset ?? self.offset
        return JSONSyntaxError(
            problem: offset < text.count ? .unexpectedByte : .unexpectedEnd, offset: min(offset, text.count))
    }

    func failure(_ problem: JSONSyntaxError.Problem, at offset: Int) -> JSONSyntaxError {
        JSONSyntaxError(problem: problem, offset: offset)
    }

    @inline(__always)
    mutating func move(to index: Int) { offset = index }

    /// Consumes white space: space, tab, CR, LF.
    @inline(__always)
    mutating func skipWhitespace() {
        // Fast path: usually there is none.
        guard next <= 0x20 else { return }
        offset = whitespaceEnd(from: offset)
    }

    /// The end of the white space that starts at an index.
    @inline(__always)
    func whitespaceEnd(from start: Int) -> Int {
        var index = start
        while case let byte = text[index], byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index &+= 1 }
        return index
    }

    // MARK: Structure

    /// Whether the text is empty.
    var isEmpty: Bool { text.count == 0 }

    /// Checks that only white space follows.
    mutating func finish() throws(JSONSyntaxError) {
        skipWhitespace()
        if offset < text.count { throw failure(.trailingBytes, at: offset) }
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
    mutating func consumeEmptyList() -> Bool {
        guard next == UInt8(ascii: "[") else { return false }
        let end = whitespaceEnd(from: offset &+ 1)
        guard text[end] == UInt8(ascii: "]") else { return false }
        move(to: end &+ 1)
        return true
    }

    /// Consumes a literal word, such as `true`.
    mutating func consumeWord(_ word: StaticString) throws(JSONSyntaxError) {
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
        case UInt8(ascii: "t"): try consumeWord("true")
        case UInt8(ascii: "f"): try consumeWord("false")
        case UInt8(ascii: "n"): try consumeWord("null")
        case UInt8(ascii: "N"): try consumeWord("NaN")
        case UInt8(ascii: "I"): try consumeWord("Infinity")
        default: _ = try number()
        }
    }
}
