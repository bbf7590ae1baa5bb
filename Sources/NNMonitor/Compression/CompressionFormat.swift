/// A data format of zlib.
package enum CompressionFormat: Sendable, Hashable {
    /// gzip, RFC 1952. The inflater reads all members of a concatenation and ignores zero bytes after the last one.
    case gzip
    /// zlib, RFC 1950.
    case zlib
    /// The content coding `deflate` of HTTP, for inflating only. It is the zlib format (RFC 9110 section 8.4.1.2), but
    /// some senders omit its header; the first two bytes show whether it is there.
    case deflate
    /// Raw DEFLATE, RFC 1951, with a window of 2^`windowBits` bytes (8 to 15), as in RFC 7692.
    case raw(windowBits: Int)

    /// The `windowBits` argument of `inflateInit2` and `deflateInit2`, which also selects the wrapper.
    ///
    /// 8 becomes 9 for raw streams: zlib cannot write them with a window of 256 bytes, and an inflater with 512 bytes
    /// reads both.
    var windowBits: Int32 {
        switch self {
        case .gzip: 15 + 16
        case .zlib, .deflate: 15
        case .raw(let bits): -Int32(clamping: max(bits, 9))
        }
    }

    /// Whether another stream may follow the end of a stream: a gzip file is a series of members (RFC 1952 section
    /// 2.2), and a WebSocket message may have final blocks in its middle (RFC 7692 section 7.2.3.4).
    var canFollowItself: Bool {
        switch self {
        case .gzip, .raw: true
        case .zlib, .deflate: false
        }
    }
}
