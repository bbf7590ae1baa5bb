import NIOCore
import NIOHTTP1

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Follows the bytes of a connection just far enough to know where each message begins and may end, and cuts them into
/// pieces for the decoder, none of which reaches into a second message. So the connection can have one request decoded
/// at a time, knows which of them is too long, and can bound what the decoder says nothing about.
///
/// It is no second parser: what a field means, how long a body is and where a message ends is what the decoder says.
/// It looks for itself at request lines, and for empty lines, since heads and chunked bodies end nowhere else.
struct MessageBounds {
    private enum Place {
        case line(RequestLine)
        case fields
        /// The empty line has gone to the decoder, which must have made a head of it.
        case headEnded
        case counted(left: Int)
        case chunked
    }

    /// The piece that the decoder is reading, and what it has made of it.
    private struct Piece {
        var size: Int
        var isChunked: Bool
        var bodyBytes = 0
        var parts = 0
        var hasEnded = false

        /// What stands around the content, apart from 16 bytes for each part: sizes and line ends, and some to spare.
        var framing: Int { self.isChunked ? max(0, self.size - self.bodyBytes - 16 * self.parts) : 0 }
    }

    private let maximumHeaderBytes: Int
    private let maximumTargetSize: Int
    private var place = Place.line(RequestLine())
    /// The beginning of a request line that has not ended. It is kept from the decoder until it has, so that it makes no
    /// difference in which pieces a line comes.
    private var begunLine = ByteBuffer()
    private var emptyLine = EmptyLine()
    /// Bytes of this message's head, chunk extensions and trailers.
    private var headerBytes = 0
    private var piece: Piece?

    init(_ configuration: HTTPConfiguration) {
        self.maximumHeaderBytes = configuration.maximumHeaderBytes
        self.maximumTargetSize = configuration.maximumTargetSize
    }

    /// Takes the next piece from the front of `input`, which must not be empty.
    /// - Returns: What the decoder is to read; nil when it has to wait for more.
    /// - Throws: What makes the bytes no request, or one that is too long.
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
            // The decoder waits for more of a message that ends here: it has read another one than is looked at.
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

    /// How many of these bytes belong to the head under way.
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

    /// The decoder has made something of the piece.
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

    /// The decoder has read the piece to its end.
    /// - Throws: When a chunked body has too much around its content: trailers and extensions are bounded together with
    ///   the head (RFC 9112 §7.1.1).
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

/// Finds empty lines in bytes that come in pieces.
struct EmptyLine {
    private enum Seen { case nothing, lineFeed, carriageReturn }
    private var seen: Seen

    /// - Parameter afterLine: Whether a line has just ended, so that the next one may be empty.
    init(afterLine: Bool = false) {
        self.seen = afterLine ? .lineFeed : .nothing
    }

    /// How many of these bytes there are to the end of the first empty line; nil when none ends there.
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
                // A long way without a line's end is gone in one go.
                guard let way = bytes.extracting(index...).wayToLineFeed else { return nil }
                index += way - 1
            }
            index += 1
        }
        return nil
    }
}

extension Span<UInt8> {
    /// How many bytes stand before the first line feed; nil when there is none.
    fileprivate var wayToLineFeed: Int? {
        // The bytes are lent for the call, and looked at within their bounds.
        unsafe self.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let found = unsafe memchr(start, 0x0A, bytes.count) else { return nil }
            return unsafe UnsafeRawPointer(found) - start
        }
    }
}
