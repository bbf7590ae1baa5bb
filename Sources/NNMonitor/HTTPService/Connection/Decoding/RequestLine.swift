/// Scans a request line (RFC 9112 section 3) and accepts only lines that all servers interpret alike: single spaces,
/// CRLF, a target of URI bytes, HTTP/1.0 or HTTP/1.1. The line may arrive in pieces: an error is found at the same byte
/// however it is split.
struct RequestLine {
    private enum Part { case before, beforeLineFeed, method, target, version, lineFeed }

    private static let malformed = RequestFailure.malformed("The request line is not valid")

    /// The number of bytes scanned, with the empty lines before the request line.
    private(set) var scanned = 0
    /// The bytes of the method.
    private(set) var method = 0..<0
    /// The bytes of the target.
    private(set) var target = 0..<0
    /// Whether the version is HTTP/1.0.
    private(set) var isHTTP10 = false

    private var part = Part.before
    private var major: UInt8 = 0
    private var minor: UInt8 = 0

    /// Scans bytes that have arrived since the last call. Empty lines before the request line are skipped (RFC 9112
    /// section 2.2).
    ///
    /// - Parameters:
    ///   - bytes: the input from the start of the line, with the bytes of earlier calls.
    ///   - maximumSize: the maximum length of the line, in bytes.
    ///   - maximumTargetSize: the maximum length of the target, in bytes.
    /// - Returns: whether the line is complete.
    /// - Throws: the error in the line.
    mutating func scan(_ bytes: Span<UInt8>, maximumSize: Int, maximumTargetSize: Int) throws(RequestFailure) -> Bool {
        let end = min(bytes.count, maximumSize)
        while scanned < end {
            switch part {
            case .before:
                if bytes[scanned] == .carriageReturn {
                    part = .beforeLineFeed
                } else {
                    guard bytes[scanned].isTokenByte else { throw .malformed("This is not an HTTP request") }
                    method = scanned..<scanned
                    part = .method
                }
            case .beforeLineFeed:
                guard bytes[scanned] == .lineFeed else { throw Self.malformed }
                part = .before
            case .method:
                while scanned < end, bytes[scanned].isTokenByte { scanned += 1 }
                guard scanned < end else { continue }
                guard bytes[scanned] == .space else { throw Self.malformed }
                method = method.lowerBound..<scanned
                target = scanned + 1..<scanned + 1
                part = .target
            case .target:
                let targetEnd = min(end, target.lowerBound + maximumTargetSize)
                while scanned < targetEnd, bytes[scanned].isURIByte { scanned += 1 }
                guard scanned < end else { continue }
                target = target.lowerBound..<scanned
                try endTarget(bytes[scanned])
            case .version:
                try takeVersion(bytes[scanned], at: scanned - target.upperBound - 1)
            case .lineFeed:
                guard bytes[scanned] == .lineFeed else { throw Self.malformed }
                // RFC 9110 section 2.5 would allow handling HTTP/1.2 as 1.1, but no client sends it.
                guard major == 1, minor <= 1 else { throw .versionNotSupported }
                isHTTP10 = minor == 0
                scanned += 1
                return true
            }
            scanned += 1
        }
        if bytes.count > maximumSize { throw part == .target ? .targetTooLong : .headersTooLarge }
        return false
    }

    /// Checks the byte that follows the target.
    private mutating func endTarget(_ byte: UInt8) throws(RequestFailure) {
        switch byte {
        case .space:
            guard !target.isEmpty else { throw Self.malformed }
            part = .version
        case .carriageReturn: throw .malformed("The request line has no version")
        default:
            guard byte.isURIByte else {
                throw .malformed("The request's target has a character that must be percent-encoded")
            }
            throw .targetTooLong
        }
    }

    private mutating func takeVersion(_ byte: UInt8, at index: Int) throws(RequestFailure) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let fits =
            switch index {
            case 0: byte == UInt8(ascii: "H")
            case 1, 2: byte == UInt8(ascii: "T")
            case 3: byte == UInt8(ascii: "P")
            case 4: byte == UInt8(ascii: "/")
            case 6: byte == UInt8(ascii: ".")
            case 8: byte == .carriageReturn
            default: digits.contains(byte)
            }
        guard fits else { throw Self.malformed }
        if index == 5 { major = byte - digits.lowerBound }
        if index == 7 { minor = byte - digits.lowerBound }
        if index == 8 { part = .lineFeed }
    }
}
