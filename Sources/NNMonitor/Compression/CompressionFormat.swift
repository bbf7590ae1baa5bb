/// A format that zlib reads and writes.
package enum CompressionFormat: Sendable, Hashable {
    /// RFC 1952. Inflating reads all members of a concatenation, and ignores zero bytes after the last one.
    case gzip
    /// RFC 1950.
    case zlib
    /// Inflating only: what HTTP calls `deflate`. RFC 9110 section 8.4.1.2 means the zlib format, some senders leave its
    /// header away; the first two bytes tell.
    case deflate
    /// RFC 1951 without a wrapper, with a window of 2^`windowBits` bytes (8 to 15), as RFC 7692 uses it.
    case raw(windowBits: Int)

    /// The `windowBits` parameter that zlib takes, which also says what wrapper there is.
    ///
    /// zlib cannot write a raw stream with a window of 256 bytes (it takes 512 instead), and a reader with 512 reads
    /// both, so that 8 becomes 9.
    var windowBits: Int32 {
        switch self {
        case .gzip: 15 + 16
        case .zlib, .deflate: 15
        case .raw(let bits): -Int32(clamping: max(bits, 9))
        }
    }

    /// Whether another stream may follow the end of one: a gzip file is a series of members (RFC 1952 section 2.2), and
    /// a message may have final blocks in its middle (RFC 7692 section 7.2.3.4).
    var canFollowItself: Bool {
        switch self {
        case .gzip, .raw: true
        case .zlib, .deflate: false
        }
    }
}

/// What went wrong with a compressed stream.
package enum CompressionError: Error, Equatable, Sendable {
    /// The bytes are not of the format; the text says what zlib found.
    case corrupt(String)
    /// The stream ends before its end.
    case truncated
    /// Something follows the end of the stream.
    case trailingData
    /// It expands to more than this many bytes.
    case tooLarge(limit: Int)
    /// It expands to more than this many times its own size.
    case ratioExceeded(limit: Int)
    /// zlib could not get memory.
    case outOfMemory
}

/// How much a stream may expand.
package struct ExpansionLimits: Sendable, Equatable {
    /// Bytes of output at most.
    package var maximumSize: Int
    /// Bytes of output at most for each byte of input.
    package var maximumRatio: Int
    /// Bytes of output up to which the ratio is not looked at: short inputs have high ratios.
    package var ratioFloor: Int

    package init(maximumSize: Int, maximumRatio: Int, ratioFloor: Int = 64 * 1024) {
        self.maximumSize = maximumSize
        self.maximumRatio = maximumRatio
        self.ratioFloor = ratioFloor
    }
}
