/// Parses a request line byte by byte before NIO's decoder reads it (RFC 9112 section 3), and accepts only lines that
/// all servers interpret alike. The decoder is more lenient: it accepts two spaces for one, a bare CR or LF before the
/// line, and the versions of RTSP and ICE, and it waits for more input after a line without a version.
///
/// The decoder checks the method, because it has the table of known methods.
struct RequestLine {
    private enum Part {
        case before
        case beforeLineFeed
        case method
        case target
        /// The version; the number of bytes of `HTTP/1.1` read so far.
        case version(Int)
        case lineFeed
    }

    private static let protocolName = Array("HTTP/".utf8)
    private static let malformed = RequestFailure.malformed("The request line is not valid")

    private var part = Part.before
    private var targetSize = 0
    private var major: UInt8 = 0
    private var minor: UInt8 = 0

    /// Whether the target is being read. If so, a line over the limit has a target that is too long.
    var isInTarget: Bool {
        if case .target = self.part { true } else { false }
    }

    /// Consumes the next byte. Empty lines before the request line are skipped (RFC 9112 section 2.2).
    ///
    /// - Parameters:
    ///   - byte: the byte.
    ///   - maximumTargetSize: the maximum length of the target, in bytes.
    /// - Returns: whether this byte ends the line.
    /// - Throws: the error in the line.
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
            // RFC 9110 section 2.5 would allow handling HTTP/1.2 as 1.1, but the decoder rejects it and no client sends
            // it.
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
    /// Whether this is a token byte (RFC 9110 section 5.6.2): a letter, a digit, or one of ``!#$%&'*+-.^_`|~``.
    fileprivate var isTokenByte: Bool {
        switch self {
        case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x30...0x39, 0x41...0x5a, 0x5e...0x7a, 0x7c, 0x7e: true
        default: false
        }
    }

    /// Whether this is a byte of a request target (RFC 3986 section 2): visible ASCII except ``"<>\^`{|}`` and the `#`
    /// of fragments, which are never sent.
    fileprivate var isURIByte: Bool {
        switch self {
        case 0x21, 0x24...0x3b, 0x3d, 0x3f...0x5b, 0x5d, 0x5f, 0x61...0x7a, 0x7e: true
        default: false
        }
    }
}
