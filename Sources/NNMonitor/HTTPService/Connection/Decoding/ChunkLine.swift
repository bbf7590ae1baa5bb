/// Scans the line before a chunk (RFC 9112 section 7.1): the size in hexadecimal digits and the extensions, which are
/// checked and discarded. No white space is accepted, as RFC 9112 permits only to old clients.
struct ChunkLine {
    private enum Part {
        case size, extensionName, valueStart, value, quotedValue, quotedPair, quotedValueEnd, lineFeed
    }

    private static let malformed = RequestFailure.malformed("The chunked body is not valid")

    /// The number of bytes scanned.
    private(set) var scanned = 0
    /// The size of the chunk in bytes; 0 for the last chunk.
    private(set) var size: UInt64 = 0

    private var part = Part.size
    /// Whether the size, or the name or value of an extension, still lacks its first byte.
    private var isTokenEmpty = true

    /// Scans the next byte.
    ///
    /// - Returns: whether the byte ends the line.
    /// - Throws: the error in the line.
    mutating func take(_ byte: UInt8) throws(RequestFailure) -> Bool {
        scanned += 1
        switch part {
        case .size:
            if let digit = byte.hexDigitValue {
                guard size >> 60 == 0 else { throw Self.malformed }
                size = size << 4 | digit
                isTokenEmpty = false
            } else {
                try endToken(byte)
            }
        case .extensionName:
            if byte.isTokenByte {
                isTokenEmpty = false
            } else if byte == UInt8(ascii: "="), !isTokenEmpty {
                part = .valueStart
            } else {
                try endToken(byte)
            }
        case .valueStart:
            guard byte == UInt8(ascii: "\"") || byte.isTokenByte else { throw Self.malformed }
            part = byte.isTokenByte ? .value : .quotedValue
        case .value:
            if !byte.isTokenByte { try endToken(byte) }
        case .quotedValue:
            switch byte {
            case UInt8(ascii: "\""): part = .quotedValueEnd
            case UInt8(ascii: "\\"): part = .quotedPair
            default: guard byte.isFieldValueByte else { throw Self.malformed }
            }
        case .quotedPair:
            guard byte.isFieldValueByte else { throw Self.malformed }
            part = .quotedValue
        case .quotedValueEnd:
            try endToken(byte)
        case .lineFeed:
            guard byte == .lineFeed else { throw Self.malformed }
            return true
        }
        return false
    }

    /// Checks the byte after a size, a name or a value.
    private mutating func endToken(_ byte: UInt8) throws(RequestFailure) {
        guard !isTokenEmpty else { throw Self.malformed }
        switch byte {
        case UInt8(ascii: ";"):
            part = .extensionName
            isTokenEmpty = true
        case .carriageReturn: part = .lineFeed
        default: throw Self.malformed
        }
    }
}
