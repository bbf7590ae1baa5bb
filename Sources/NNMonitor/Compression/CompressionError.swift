/// An error of a compressed stream.
package enum CompressionError: Error, Equatable, Sendable {
    /// The bytes are not in the expected format; the text is zlib's message.
    case corrupt(String)
    /// The input ended before the end of the stream.
    case truncated
    /// The input continued after the end of the stream.
    case trailingData
    /// The output is larger than this many bytes.
    case tooLarge(limit: Int)
    /// The output is larger than this many times the input.
    case ratioExceeded(limit: Int)
    /// zlib could not allocate memory.
    case outOfMemory
}
