/// Reads a request line byte by byte (RFC 9112 §3) before the decoder sees it, and lets only that through which every
/// server reads the same. The decoder takes more: two spaces for one, a bare CR or LF before the line, the versions
/// of RTSP and ICE; and a line without a version it takes for one that is still to be continued.
///
/// The method is left to the decoder, which knows them all.
struct RequestLine {
    private enum Part {
        case before
        case beforeLineFeed
        case method
        case target
        /// How many bytes of `HTTP/1.1` have been read.
        case version(Int)
        case lineFeed
    }

    private static let protocolName = Array("HTTP/".utf8)
    private static let malformed = RequestFailure.malformed("The request line is not valid")

    private var part = Part.before
    private var targetSize = 0
    private var major: UInt8 = 0
    private var minor: UInt8 = 0

    /// Whether the target is being read, so that it is the target if something is too long.
    var isInTarget: Bool {
        if case .target = self.part { true } else { false }
    }

    /// Takes the next byte. Empty lines before the request are skipped (RFC 9112 §2.2).
    /// - Parameters:
    ///   - byte: The byte.
    ///   - maximumTargetSize: The longest target that is taken, in bytes.
    /// - Returns: Whether the line has ended with this byte.
    /// - Throws: What is wrong with the line.
    mutating func take(_ byte: UInt8, maximumTargetSize: Int) throws(RequestFailure) -> Bool {
        switch self.part {
        case .before where byte == UInt8(ascii: "\r"):
            self.part = .beforeLineFeed
        case .before:
            guard byte.isTokenByte else { throw .malformed("This is not an HTTP request") }
            self.part = .method
        case .beforeLineFeed:
            guard byte == UInt8(ascii: "\n") else { throw Self.malformed }
            self.part = .before
        case .method where byte == UInt8(ascii: " "):
            self.part = .target
        case .method:
            guard byte.isTokenByte else { throw Self.malformed }
        case .target where byte == UInt8(ascii: " "):
            guard self.targetSize > 0 else { throw Self.malformed }
            self.part = .version(0)
        case .target:
            guard byte != UInt8(ascii: "\r") else { throw .malformed("The request line has no version") }
            guard byte.isURIByte else {
                throw .malformed("The request's target has a character that must be percent-encoded")
            }
            self.targetSize += 1
            guard self.targetSize <= maximumTargetSize else { throw .targetTooLong }
        case .version(let count):
            try self.takeVersion(byte, at: count)
        case .lineFeed:
            guard byte == UInt8(ascii: "\n") else { throw Self.malformed }
            // HTTP/1.2 could be spoken as 1.1 (RFC 9110 §2.5); the decoder refuses it, and nobody has ever sent it.
            guard self.major == 1, self.minor <= 1 else { throw .versionNotSupported }
            return true
        }
        return false
    }

    private mutating func takeVersion(_ byte: UInt8, at count: Int) throws(RequestFailure) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let fits =
            switch count {
            case 0..<5: byte == Self.protocolName[count]
            case 6: byte == UInt8(ascii: ".")
            case 8: byte == UInt8(ascii: "\r")
            default: digits.contains(byte)
            }
        guard fits else { throw Self.malformed }
        if count == 5 { self.major = byte - digits.lowerBound }
        if count == 7 { self.minor = byte - digits.lowerBound }
        self.part = count == 8 ? .lineFeed : .version(count + 1)
    }
}

extension UInt8 {
    /// A byte of a token (RFC 9110 §5.6.2): a letter, a digit, or one of ``!#$%&'*+-.^_`|~``.
    fileprivate var isTokenByte: Bool {
        switch self {
        case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x30...0x39, 0x41...0x5a, 0x5e...0x7a, 0x7c, 0x7e: true
        default: false
        }
    }

    /// A byte that a target may have (RFC 3986 §2): visible ASCII without ``"<>\^`{|}``, and without the `#` of
    /// a fragment, which is never sent.
    fileprivate var isURIByte: Bool {
        switch self {
        case 0x21, 0x24...0x3b, 0x3d, 0x3f...0x5b, 0x5d, 0x5f, 0x61...0x7a, 0x7e: true
        default: false
        }
    }
}
