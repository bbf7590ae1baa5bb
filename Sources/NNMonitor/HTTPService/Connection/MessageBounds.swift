import NIOCore
import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Finds the message boundaries in a connection's input and cuts it into pieces, none of which extends into a second
/// message. The connection can therefore decode one request at a time, attribute a size error to its request, and limit
/// framing bytes that the decoder does not report.
///
/// This is not a second parser: field values, body lengths and message ends come from the decoder. This type parses
/// only request lines and searches for empty lines, since heads and chunked bodies end only there.
struct MessageBounds {
    private enum Place {
        case line(RequestLine)
        case fields
        /// The empty line was passed to the decoder, which must have produced a head.
        case headEnded
        case counted(left: Int)
        case chunked
    }

    /// The piece passed to the decoder, and the parts decoded from it.
    private struct Piece {
        var size: Int
        var isChunked: Bool
        var bodyBytes = 0
        var parts = 0
        var hasEnded = false

        /// The framing bytes of a chunked body (chunk sizes, extensions, line ends), less an allowance of 16 bytes per
        /// part.
        var framing: Int { self.isChunked ? max(0, self.size - self.bodyBytes - 16 * self.parts) : 0 }
    }

    private let maximumHeaderBytes: Int
    private let maximumTargetSize: Int
    private var place = Place.line(RequestLine())
    /// The start of an incomplete request line. It is withheld from the decoder until the line is complete, so that the
    /// result does not depend on how the line is split into reads.
    private var begunLine = ByteBuffer()
    private var emptyLine = EmptyLine()
    /// The bytes of this message's head, chunk framing and trailers.
    private var headerBytes = 0
    private var piece: Piece?

    init(_ configuration: HTTPConfiguration) {
        self.maximumHeaderBytes = configuration.maximumHeaderBytes
        self.maximumTargetSize = configuration.maximumTargetSize
    }

    /// Removes the next piece from `input`, which must not be empty.
    ///
    /// - Returns: the bytes for the decoder; nil if the request line is incomplete.
    /// - Throws: the failure if the bytes are not a request or exceed a limit.
    mutating func takePiece(of input: inout ByteBuffer) throws(RequestFailure) -> ByteBuffer? {
        var piece = Piece(size: input.readableBytes, isChunked: false)
        switch self.place {
        case .line, .fields:
            piece.size = try self.headPiece(input.readableBytesUInt8Span)
        case .counted(let left) where left > 0:
            piece.size = min(left, input.readableBytes)
            self.place = .counted(left: left - piece.size)
        case .chunked:
            piece.size = self.emptyLine.end(in: input.readableBytesUInt8Span) ?? input.readableBytes
            piece.isChunked = true
        case .headEnded, .counted:
            // The decoder disagrees about where this message ends: refuse it (request smuggling).
            throw .malformed("This is not a valid HTTP request")
        }
        guard let bytes = input.readSlice(length: piece.size) else { return nil }
        if case .line = self.place {
            self.begunLine.writeImmutableBuffer(bytes)
            return nil
        }
        self.piece = piece
        guard self.begunLine.readableBytes > 0 else { return bytes }
        var whole = self.begunLine
        whole.writeImmutableBuffer(bytes)
        self.begunLine = ByteBuffer()
        return whole
    }

    /// The number of bytes that belong to the current head.
    private mutating func headPiece(_ bytes: Span<UInt8>) throws(RequestFailure) -> Int {
        var index = 0
        if case .line(var line) = self.place {
            var hasEnded = false
            while !hasEnded, index < bytes.count {
                self.headerBytes += 1
                guard self.headerBytes <= self.maximumHeaderBytes else {
                    throw line.isInTarget ? .targetTooLong : .headersTooLarge
                }
                hasEnded = try line.take(bytes[index], maximumTargetSize: self.maximumTargetSize)
                index += 1
            }
            self.place = hasEnded ? .fields : .line(line)
            self.emptyLine = EmptyLine(afterLine: true)
            guard hasEnded else { return bytes.count }
        }
        let fields = bytes.extracting(index...)
        let end = self.emptyLine.end(in: fields)
        self.headerBytes += end ?? fields.count
        guard self.headerBytes <= self.maximumHeaderBytes else { throw .headersTooLarge }
        guard let end else { return bytes.count }
        self.place = .headEnded
        return index + end
    }

    /// Records a part that the decoder produced from the piece.
    mutating func decoded(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head):
            switch BodyFraming(head.headers) {
            case .none: self.place = .counted(left: 0)
            case .length(let length): self.place = .counted(left: length)
            case .chunked:
                self.place = .chunked
                self.emptyLine = EmptyLine()
            }
        case .body(let bytes):
            self.piece?.bodyBytes += bytes.readableBytes
            self.piece?.parts += 1
        case .end:
            self.piece?.parts += 1
            self.piece?.hasEnded = true
        }
    }

    /// Records that the decoder has consumed the piece.
    ///
    /// - Throws: `headersTooLarge` if the framing of a chunked body exceeds the limit. Chunk extensions (RFC 9112
    ///   section 7.1.1) and trailers share the limit of the head.
    mutating func pieceWasDecoded() throws(RequestFailure) {
        guard let piece = self.piece else { return }
        self.piece = nil
        self.headerBytes += piece.framing
        guard self.headerBytes <= self.maximumHeaderBytes else { throw .headersTooLarge }
        guard piece.hasEnded else { return }
        self.place = .line(RequestLine())
        self.headerBytes = 0
    }
}

/// Finds empty lines in a byte stream that arrives in pieces.
struct EmptyLine {
    private enum Seen { case nothing, lineFeed, carriageReturn }
    private var seen: Seen

    /// - Parameter afterLine: whether the preceding bytes ended a line.
    init(afterLine: Bool = false) {
        self.seen = afterLine ? .lineFeed : .nothing
    }

    /// The offset after the first empty line that ends in `bytes`; nil if none does.
    mutating func end(in bytes: Span<UInt8>) -> Int? {
        var index = 0
        while index < bytes.count {
            switch (self.seen, bytes[index]) {
            case (.carriageReturn, UInt8(ascii: "\n")):
                self.seen = .lineFeed
                return index + 1
            case (_, UInt8(ascii: "\n")):
                self.seen = .lineFeed
            case (.lineFeed, UInt8(ascii: "\r")):
                self.seen = .carriageReturn
            default:
                self.seen = .nothing
                // Skip to the next line feed with `memchr`.
                guard let way = bytes.extracting(index...).wayToLineFeed else { return nil }
                index += way - 1
            }
            index += 1
        }
        return nil
    }
}

extension Span<UInt8> {
    /// The offset of the first line feed; nil if there is none.
    fileprivate var wayToLineFeed: Int? {
        // The pointer is valid during the closure, and `memchr` stays within `bytes.count`.
        unsafe self.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let found = unsafe memchr(start, 0x0A, bytes.count) else { return nil }
            return unsafe UnsafeRawPointer(found) - start
        }
    }
}
