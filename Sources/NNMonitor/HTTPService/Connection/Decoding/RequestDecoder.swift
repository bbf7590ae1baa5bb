import NIOCore
import NIOHTTP1

/// Decodes requests of HTTP/1.1 and HTTP/1.0: bytes in, events out. It accepts only messages that all servers interpret
/// alike.
///
/// An event is decoded when the connection calls `next()`. The bytes behind a request stay undecoded until then,
/// because decoded fields use many times the memory of their bytes. The events, and the byte at which a failure is
/// found, do not depend on how the input is split.
struct RequestDecoder {
    /// A decoded part of a request.
    enum Event {
        case head(RequestHead)
        /// A part of the body, without the framing of a chunked body.
        case body(ByteBuffer)
        /// The end of the request, with the trailer of a chunked body.
        case end(trailers: HTTPHeaders)
    }

    /// The limits on a head. Sizes are in bytes.
    struct Limits {
        /// The maximum size of the request line and the fields, with trailers and chunk framing.
        var headSize: Int
        /// The maximum number of fields, with those of the trailer.
        var fieldCount: Int
        var targetSize: Int
    }

    private enum Place {
        case line(RequestLine)
        case fields(FieldLine)
        case counted(left: Int)
        case chunkLine(ChunkLine)
        case chunk(left: UInt64)
        case chunkCarriageReturn
        case chunkLineFeed
        case trailers(FieldLine)
        case failed
    }

    /// The bytes of a chunk's framing that do not count against the limit of the head.
    private static let chunkAllowance = 16

    private let limits: Limits
    /// The input that is not consumed, from the start of the current line.
    private var input = ByteBuffer()
    private var place = Place.line(RequestLine())
    private var head: HeadBuilder?
    private var trailers: [(String, String)] = []
    /// The bytes of this request's head, chunk framing and trailer, up to the current line.
    private var headSize = 0
    private var fieldCount = 0

    init(limits: Limits) { self.limits = limits }

    /// Appends input. The bytes are not copied if all earlier input is consumed.
    mutating func append(_ bytes: ByteBuffer) {
        guard input.readableBytes > 0 else {
            input = bytes
            return
        }
        // `ByteBuffer` never frees consumed bytes by itself: a pipeline whose reads all end within a request would keep
        // every request.
        input.discardReadBytes()
        input.writeImmutableBuffer(bytes)
    }

    /// Whether there is input at which `next` has not looked. An unfinished line is kept, but has been scanned.
    var hasUnscannedInput: Bool {
        let scanned =
            switch place {
            case .line(let line): line.scanned
            case .fields(let line), .trailers(let line): line.scanned
            default: 0
            }
        return input.readableBytes > scanned
    }

    /// The method and target of the request whose head is being decoded, if its request line is valid.
    var requestLine: (method: HTTPMethod, uri: String)? { head.map { ($0.method, $0.uri) } }

    /// Removes and returns all input that is not decoded.
    mutating func takeInput() -> ByteBuffer {
        defer { input = ByteBuffer() }
        return input
    }

    /// Decodes the next event.
    ///
    /// - Returns: the event; nil if more input is needed.
    /// - Throws: the failure of the request. Nothing is decoded after it.
    mutating func next() throws(RequestFailure) -> Event? {
        do throws(RequestFailure) {
            defer { if input.readableBytes == 0 { input = ByteBuffer() } }
            return try decode()
        } catch {
            place = .failed
            throw error
        }
    }

    private mutating func decode() throws(RequestFailure) -> Event? {
        while true {
            switch place {
            case .line(var line):
                let isComplete = try line.scan(
                    input.readableBytesUInt8Span, maximumSize: limits.headSize, maximumTargetSize: limits.targetSize)
                guard isComplete else {
                    place = .line(line)
                    return nil
                }
                // The last request's number of fields is a good estimate.
                head = try HeadBuilder(line, in: input.readableBytesUInt8Span, capacity: max(8, fieldCount))
                fieldCount = 0
                consumeLine(line.scanned)
                place = .fields(FieldLine())
            case .fields(let line):
                guard try decodeFields(line) else { return nil }
                return try endHead()
            case .counted(left: 0):
                return endRequest()
            case .counted(let left):
                guard let piece = takePiece(upTo: left) else { return nil }
                place = .counted(left: left - piece.readableBytes)
                return .body(piece)
            case .chunkLine(var line):
                let isComplete = try scan(&line)
                place = .chunkLine(line)
                guard isComplete else { return nil }
                headSize += max(0, framingSize(line) - Self.chunkAllowance)
                place = line.size == 0 ? .trailers(FieldLine()) : .chunk(left: line.size)
            case .chunk(let left):
                guard let piece = takePiece(upTo: Int(clamping: left)) else { return nil }
                let rest = left - UInt64(piece.readableBytes)
                place = rest == 0 ? .chunkCarriageReturn : .chunk(left: rest)
                return .body(piece)
            case .chunkCarriageReturn:
                guard try takeLineEnd(.carriageReturn) else { return nil }
                place = .chunkLineFeed
            case .chunkLineFeed:
                guard try takeLineEnd(.lineFeed) else { return nil }
                place = .chunkLine(ChunkLine())
            case .trailers(let line):
                guard try decodeTrailers(line) else { return nil }
                return endRequest()
            case .failed:
                return nil
            }
        }
    }

    // MARK: Head

    /// Decodes fields up to the empty line.
    ///
    /// - Returns: whether the empty line was found.
    private mutating func decodeFields(_ line: FieldLine) throws(RequestFailure) -> Bool {
        var line = line
        while true {
            switch try line.scan(input.readableBytesUInt8Span, maximumSize: limits.headSize - headSize) {
            case .incomplete:
                place = .fields(line)
                return false
            case .field:
                try countField()
                let input = input
                try head?.add(line, in: input.readableBytesUInt8Span)
                consumeLine(line.scanned)
                line = FieldLine()
            case .endOfFields:
                consumeLine(line.scanned)
                return true
            }
        }
    }

    private mutating func endHead() throws(RequestFailure) -> Event? {
        guard let builder = self.head else { return nil }
        let head = try builder.finish()
        self.head = nil
        switch head.framing {
        case .none: place = .counted(left: 0)
        case .length(let length): place = .counted(left: length)
        case .chunked: place = .chunkLine(ChunkLine())
        }
        return .head(head)
    }

    private mutating func countField() throws(RequestFailure) {
        guard fieldCount < limits.fieldCount else { throw .headersTooLarge }
        fieldCount += 1
    }

    private mutating func consumeLine(_ size: Int) {
        headSize += size
        input.moveReaderIndex(forwardBy: size)
    }

    // MARK: Body

    private mutating func takePiece(upTo limit: Int) -> ByteBuffer? {
        guard input.readableBytes > 0 else { return nil }
        return input.readSlice(length: min(limit, input.readableBytes))
    }

    /// Scans and consumes the line before a chunk.
    ///
    /// - Returns: whether the line is complete.
    private mutating func scan(_ line: inout ChunkLine) throws(RequestFailure) -> Bool {
        while let byte = input.readInteger(as: UInt8.self) {
            let isComplete = try line.take(byte)
            guard headSize + framingSize(line) - Self.chunkAllowance <= limits.headSize else { throw .headersTooLarge }
            if isComplete { return true }
        }
        return false
    }

    /// The bytes of a chunk's line and of the line end after its data.
    private func framingSize(_ line: ChunkLine) -> Int { line.scanned + 2 }

    private mutating func takeLineEnd(_ expected: UInt8) throws(RequestFailure) -> Bool {
        guard let byte = input.readInteger(as: UInt8.self) else { return false }
        guard byte == expected else { throw .malformed("The chunked body is not valid") }
        return true
    }

    // MARK: End

    private mutating func decodeTrailers(_ line: FieldLine) throws(RequestFailure) -> Bool {
        var line = line
        while true {
            switch try line.scan(input.readableBytesUInt8Span, maximumSize: limits.headSize - headSize) {
            case .incomplete:
                place = .trailers(line)
                return false
            case .field:
                try countField()
                let name = input.readableBytesUInt8Span.extracting(line.name).text
                guard !TrailerFields.isForbidden(name) else {
                    throw .malformed("The trailer has a field that is not allowed in a trailer")
                }
                trailers.append((name, input.readableBytesUInt8Span.extracting(line.value).text))
                consumeLine(line.scanned)
                line = FieldLine()
            case .endOfFields:
                consumeLine(line.scanned)
                return true
            }
        }
    }

    private mutating func endRequest() -> Event {
        place = .line(RequestLine())
        headSize = 0
        guard !trailers.isEmpty else { return .end(trailers: HTTPHeaders()) }
        defer { trailers = [] }
        return .end(trailers: HTTPHeaders(trailers))
    }
}
