import Compression
import NIOCore
import NIOWebSocket

/// A message or control frame of the peer.
enum ReceivedEvent: Equatable {
    case message(WebSocketMessage)
    case ping(ByteBuffer)
    case pong
    /// The peer's close frame; `nil` if it has no code.
    case close(WebSocketErrorCode?)
}

/// Assembles the messages of a client from its frames: joins fragments, decompresses, enforces the limits on size and
/// expansion, and validates UTF-8 as it arrives.
struct MessageReceiver: ~Copyable {
    private struct Message {
        let isText: Bool
        let isCompressed: Bool
        var isFinalFrame: Bool
        /// The size of the payload as it was received.
        var received = 0
        var bytes = ByteBuffer()
        var text = UTF8Validator()
    }

    private var parser: FrameParser
    private var message: Message?
    /// Made for each compressed message, so that an idle connection holds no zlib stream.
    private var inflater: Inflater?
    /// The last bytes of the client's earlier compressed messages, decompressed, if its next message may refer to them.
    /// At most the size of the client's window (32 KiB).
    private var window = ByteBuffer()
    /// The number of bytes decompressed so far.
    private(set) var inflatedBytes = 0
    private let deflate: DeflateParameters?
    private let configuration: WebSocketConfiguration

    init(configuration: WebSocketConfiguration, deflate: DeflateParameters?) {
        self.configuration = configuration
        self.deflate = deflate
        parser = FrameParser(allowsCompression: deflate != nil)
    }

    /// Parses the next event from the received bytes; returns `nil` if more bytes are needed.
    mutating func next(_ buffer: inout ByteBuffer) throws(WebSocketViolation) -> ReceivedEvent? {
        while let event = try parser.next(&buffer) {
            switch event {
            case .dataBegins(let opcode, let isFinal, let isCompressed, let length):
                try begin(opcode, isFinal: isFinal, isCompressed: isCompressed, length: length)
            case .data(let piece, let endsFrame):
                if let whole = try data(piece, endsFrame: endsFrame) { return .message(whole) }
            case .control(.ping, let payload): return .ping(payload)
            case .control(.pong, _): return .pong
            case .control(_, let payload): return .close(try CloseFrame.code(payload))
            }
        }
        return nil
    }

    private mutating func begin(
        _ opcode: WebSocketOpcode, isFinal: Bool, isCompressed: Bool, length: Int
    ) throws(WebSocketViolation) {
        if opcode == .continuation {
            if message == nil { throw .protocolError("continuation frame without a message") }
            message?.isFinalFrame = isFinal
        } else {
            if message != nil { throw .protocolError("new message within a fragmented message") }
            message = Message(isText: opcode == .text, isCompressed: isCompressed, isFinalFrame: isFinal)
        }
        // Refuse a frame that is too large before its payload arrives.
        if length > maximumFramePayload { throw .tooLarge }
    }

    /// The maximum payload of the next frame of this message, in bytes.
    ///
    /// Incompressible data grows by five bytes for each stored block (RFC 1951 section 3.2.4), so a compressed frame
    /// may be slightly longer than the longest message. The decompressed size has its own limit.
    private var maximumFramePayload: Int {
        let limit = configuration.maximumMessageSize
        guard let message, message.isCompressed else { return limit - (message?.bytes.readableBytes ?? 0) }
        return limit.addingReportingOverflow(limit / 100 + 64).overflow ? .max : limit + limit / 100 + 64
    }

    private mutating func data(
        _ piece: ByteBuffer, endsFrame: Bool
    ) throws(WebSocketViolation) -> WebSocketMessage? {
        guard var message = self.message.take() else { return nil }
        let endsMessage = endsFrame && message.isFinalFrame
        let before = message.bytes.writerIndex
        message.received += piece.readableBytes
        if message.isCompressed {
            try inflate(piece, into: &message.bytes, endsMessage: endsMessage)
        } else if message.bytes.readableBytes == 0 {
            message.bytes = piece
        } else {
            message.bytes.writeImmutableBuffer(piece)
        }
        if message.isText {
            let isFirst = !message.isCompressed && before == 0
            let start = isFirst ? message.bytes.readerIndex : before
            guard
                let new = message.bytes.viewBytes(at: start, length: message.bytes.writerIndex - start),
                message.text.accepts(new), !endsMessage || message.text.isComplete
            else { throw .invalidText }
        }
        if endsMessage {
            if message.isCompressed, expandsTooMuch(message) { throw .expandsTooMuch }
            return message.isText ? .text(message.bytes) : .binary(message.bytes)
        }
        self.message = message
        return nil
    }

    /// Whether a complete message has expanded beyond the maximum ratio. Earlier, it is not known whether the message
    /// exceeds the maximum size, which has another close code.
    private func expandsTooMuch(_ message: Message) -> Bool {
        let size = message.bytes.readableBytes
        guard size > configuration.expansionFloor else { return false }
        let (allowed, overflow) = message.received.multipliedReportingOverflow(by: configuration.maximumExpansionRatio)
        return !overflow && size > allowed
    }

    private mutating func inflate(
        _ piece: ByteBuffer, into output: inout ByteBuffer, endsMessage: Bool
    ) throws(WebSocketViolation) {
        let before = output.readableBytes
        defer { inflatedBytes += output.readableBytes - before }
        do throws(CompressionError) {
            if inflater == nil {
                let limits = ExpansionLimits(maximumSize: configuration.maximumMessageSize, maximumRatio: .max)
                inflater = try Inflater(format: .raw(windowBits: 15), limits: limits, dictionary: window)
            }
            var piece = piece
            try inflater?.inflate(&piece, into: &output)
            guard endsMessage else { return }
            // The sender removed the empty block at the end of the message (RFC 7692 section 7.2.2).
            var tail = ByteBuffer(bytes: [0x00, 0x00, 0xFF, 0xFF])
            try inflater?.inflate(&tail, into: &output)
        } catch {
            switch error {
            case .tooLarge, .ratioExceeded: throw .tooLarge
            default: throw WebSocketViolation(code: .dataInconsistentWithMessage, reason: "invalid compressed data")
            }
        }
        inflater = nil
        if deflate?.clientNoContextTakeover == false { keepWindow(with: output) }
    }

    /// Keeps the last bytes of the client's messages, to which its next message may refer.
    private mutating func keepWindow(with message: ByteBuffer) {
        let size = 1 << max(deflate?.clientMaxWindowBits ?? 15, 9)
        let fresh = min(message.readableBytes, size)
        let old = min(window.readableBytes, size - fresh)
        var kept = ByteBuffer()
        kept.reserveCapacity(old + fresh)
        kept.writeBytes(window.readableBytesView.suffix(old))
        kept.writeBytes(message.readableBytesView.suffix(fresh))
        window = kept
    }
}

extension ByteBuffer {
    /// A view of a range of bytes, by absolute index.
    fileprivate func viewBytes(at index: Int, length: Int) -> ByteBufferView? {
        getSlice(at: index, length: length)?.readableBytesView
    }
}
