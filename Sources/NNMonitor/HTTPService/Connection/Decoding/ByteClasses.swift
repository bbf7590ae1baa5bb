/// The classes of bytes that occur in a request (RFC 9110 section 5, RFC 3986 section 2).
extension UInt8 {
    /// Whether this is a token byte (RFC 9110 section 5.6.2): a letter, a digit, or one of ``!#$%&'*+-.^_`|~``.
    @inline(__always)
    var isTokenByte: Bool {
        switch self {
        case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x30...0x39, 0x41...0x5a, 0x5e...0x7a, 0x7c, 0x7e: true
        default: false
        }
    }

    /// Whether this is a byte of a request target: visible ASCII except ``"<>\^`{|}`` and the `#` of fragments, which
    /// are never sent.
    @inline(__always)
    var isURIByte: Bool {
        switch self {
        case 0x21, 0x24...0x3b, 0x3d, 0x3f...0x5b, 0x5d, 0x5f, 0x61...0x7a, 0x7e: true
        default: false
        }
    }

    /// Whether this is a byte of a field value (RFC 9110 section 5.5): a tab, or no control character.
    @inline(__always)
    var isFieldValueByte: Bool { self >= 0x20 && self != 0x7f || self == 0x09 }

    /// Whether this is a space or a tab, the optional white space of RFC 9110 section 5.6.3.
    @inline(__always)
    var isFieldSpace: Bool { self == 0x20 || self == 0x09 }

    /// Whether this is an ASCII letter.
    var isLetter: Bool { (0x61...0x7a).contains(self | 0x20) }

    /// The value of a hexadecimal digit; nil for any other byte.
    var hexDigitValue: UInt64? {
        switch self {
        case 0x30...0x39: UInt64(self - 0x30)
        case 0x41...0x46: UInt64(self - 0x41 + 10)
        case 0x61...0x66: UInt64(self - 0x61 + 10)
        default: nil
        }
    }
}

extension UInt8 {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
}

extension Span<UInt8> {
    /// The bytes as text. Invalid UTF-8 is replaced with U+FFFD.
    var text: String {
        // The pointer is valid during the closure, which copies the bytes.
        unsafe self.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// Whether the bytes equal `text`, which must be ASCII.
    func isEqual(to text: StaticString) -> Bool {
        self.matches(text) { $0 == $1 }
    }

    /// Whether the bytes equal `text`, ignoring ASCII case. `text` must be ASCII in lower case.
    func isSame(as text: StaticString) -> Bool {
        self.matches(text) { $0 == $1 || $0 | 0x20 == $1 && (0x41...0x5a).contains($0) }
    }

    @inline(__always)
    private func matches(_ text: StaticString, _ isMatch: (UInt8, UInt8) -> Bool) -> Bool {
        guard self.count == text.utf8CodeUnitCount else { return false }
        // The pointer is valid: the bytes of a `StaticString` live as long as the program.
        return text.withUTF8Buffer { expected in
            for index in self.indices where unsafe !isMatch(self[index], expected[index]) { return false }
            return true
        }
    }
}
