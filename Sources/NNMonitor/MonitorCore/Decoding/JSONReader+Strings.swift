/// A string that was scanned but not yet unescaped.
struct RawString {
    /// The bytes between the quotes.
    let range: Range<Int>
    /// Whether the bytes contain escapes.
    let hasEscapes: Bool
}

extension JSONReader {
    /// Consumes a string and checks its syntax and UTF-8. The reader must be at the opening quote.
    @inline(__always)
    mutating func string() throws(JSONSyntaxError) -> RawString {
        let start = offset &+ 1
        var index = start
        // Scan eight bytes at a time for a quote, a backslash, a control character or a byte outside ASCII.
        while let word = text.word(at: index) {
            let found = Self.specials(word)
            if found == 0 {
                index &+= 8
                continue
            }
            index &+= found.trailingZeroBitCount / 8
            guard text[index] == UInt8(ascii: "\"") else { return try unusualString(start: start, from: index) }
            move(to: index &+ 1)
            return RawString(range: start..<index, hasEscapes: false)
        }
        // The last bytes of the text, one at a time.
        while true {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                move(to: index &+ 1)
                return RawString(range: start..<index, hasEscapes: false)
            }
            if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\\") { break }
            index &+= 1
        }
        return try unusualString(start: start, from: index)
    }

    /// Sets the high bit of each byte that is a control character, outside ASCII, `"` or `\`. The lowest set bit is
    /// exact; a borrow may set bits above it.
    @inline(__always)
    private static func specials(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let found = (quote &- ones) | (backslash &- ones) | (word &- ones &* 0x20) | word
        return found & high
    }

    /// Consumes the rest of a string that contains escapes, characters outside ASCII or a syntax error.
    private mutating func unusualString(start: Int, from: Int) throws(JSONSyntaxError) -> RawString {
        var index = from
        var hasEscapes = false
        while true {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\""):
                move(to: index + 1)
                return RawString(range: start..<index, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                index = try endOfEscape(at: index)
            case 0..<0x20:
                let problem = unexpected(at: index).problem
                throw failure(problem == .unexpectedEnd ? problem : .controlCharacter, at: index)
            case 0x20..<0x80: index += 1
            default: index = try endOfCharacter(at: index)
            }
        }
    }

    private func endOfEscape(at index: Int) throws(JSONSyntaxError) -> Int {
        switch text[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return index + 2
        case UInt8(ascii: "u"):
            for place in (index + 2)..<(index + 6) where Self.hexDigit(text[place]) == nil {
                throw escapeFailure(at: place)
            }
            return index + 6
        default: throw escapeFailure(at: index + 1)
        }
    }

    private func escapeFailure(at index: Int) -> JSONSyntaxError {
        let end = unexpected(at: index)
        return end.problem == .unexpectedEnd ? end : failure(.invalidEscape, at: index)
    }

    static func hexDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// Returns the index after one character of two to four bytes (RFC 3629 section 4: no overlong forms, no
    /// surrogates).
    private func endOfCharacter(at index: Int) throws(JSONSyntaxError) -> Int {
        let lead = text[index]
        var second: ClosedRange<UInt8> = 0x80...0xBF
        let length: Int
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0:
            length = 3
            second = 0xA0...0xBF
        case 0xED:
            length = 3
            second = 0x80...0x9F
        case 0xE1...0xEF: length = 3
        case 0xF0:
            length = 4
            second = 0x90...0xBF
        case 0xF4:
            length = 4
            second = 0x80...0x8F
        case 0xF1...0xF3: length = 4
        default: throw failure(.invalidUTF8, at: index)
        }
        guard second.contains(text[index + 1]) else { throw failure(.invalidUTF8, at: index) }
        for place in (index + 2)..<max(index + 2, index + length) where !(0x80...0xBF).contains(text[place]) {
            throw failure(.invalidUTF8, at: index)
        }
        return index + length
    }

    /// Appends a string's bytes with escapes resolved.
    ///
    /// - Parameters:
    ///   - string: a string that this reader scanned.
    ///   - bytes: receives UTF-8. A lone surrogate escape (`"\ud800"`) becomes U+FFFD.
    /// - Returns: whether the string is valid Unicode, without lone surrogates.
    @inline(__always)
    func append(_ string: RawString, to bytes: inout [UInt8]) -> Bool {
        if !string.hasEscapes {
            text.append(string.range, to: &bytes)
            return true
        }
        return appendResolved(string, to: &bytes)
    }

    private func appendResolved(_ string: RawString, to bytes: inout [UInt8]) -> Bool {
        var isUnicode = true
        var index = string.range.lowerBound
        while index < string.range.upperBound {
            let byte = text[index]
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                index += 1
                continue
            }
            let kind = text[index + 1]
            index += 2
            switch kind {
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "f"): bytes.append(0x0C)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "u"):
                let unit = codeUnit(at: index)
                index += 4
                var scalar = UInt32(unit)
                if (0xD800...0xDBFF).contains(unit), index + 6 <= string.range.upperBound,
                    text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u"),
                    case let low = codeUnit(at: index + 2), (0xDC00...0xDFFF).contains(low)
                {
                    scalar = 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
                    index += 6
                }
                let character = Unicode.Scalar(scalar)
                if character == nil { isUnicode = false }
                bytes.append(contentsOf: UTF8.encode(character ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter)
            default: bytes.append(kind)  // the character itself: quote, backslash, slash
            }
        }
        return isUnicode
    }

    private func codeUnit(at index: Int) -> UInt16 {
        (0..<4).reduce(0) { $0 << 4 | (Self.hexDigit(text[index + $1]) ?? 0) }
    }
}
