import NIOCore
import NIOWebSocket

/// Parses the frames of a client (RFC 6455 section 5.2) incrementally: the payload of a data frame is passed on as it
/// arrives, so that a large frame is never buffered here.
struct FrameParser {
    /// The next part of the input.
    enum Event: Equatable {
        /// The header of a data frame: text, binary or continuation.
        case dataBegins(opcode: WebSocketOpcode, isFinal: Bool, isCompressed: Bool, length: Int)
        /// A part of the current data frame's payload, unmasked.
        case data(ByteBuffer, endsFrame: Bool)
        /// A complete control frame: close, ping or pong.
        case control(WebSocketOpcode, ByteBuffer)
    }

    private struct Header {
        let opcode: WebSocketOpcode
        let isFinal: Bool
        let isCompressed: Bool
        let length: Int
        let unmasker: FrameUnmasker
        /// The length of the header in bytes.
        let size: Int
    }

    private enum State {
        case header
        case payload(remaining: Int, FrameUnmasker)
    }

    private var state = State.header
    private let allowsCompression: Bool

    /// Makes a parser.
    ///
    /// - Parameter allowsCompression: whether RSV1 may mark a compressed message (RFC 7692 section 6).
    init(allowsCompression: Bool) { self.allowsCompression = allowsCompression }

    /// Parses the next event.
    ///
    /// - Parameter buffer: the received bytes; parsed bytes are consumed.
    /// - Returns: the event; `nil` if more bytes are needed.
    /// - Throws: a violation of the protocol, as soon as its first byte has arrived.
    mutating func next(_ buffer: inout ByteBuffer) throws(WebSocketViolation) -> Event? {
        switch state {
        case .header: return try header(&buffer)
        case .payload(let remaining, var unmasker):
            guard remaining > 0 else {
                state = .header
                return .data(ByteBuffer(), endsFrame: true)
            }
            guard var piece = buffer.readSlice(length: min(remaining, buffer.readableBytes)), piece.readableBytes > 0
            else { return nil }
            unmasker.unmask(&piece)
            let left = remaining - piece.readableBytes
            state = left == 0 ? .header : .payload(remaining: left, unmasker)
            return .data(piece, endsFrame: left == 0)
        }
    }

    private mutating func header(_ buffer: inout ByteBuffer) throws(WebSocketViolation) -> Event? {
        guard let header = try peekHeader(buffer) else { return nil }
        guard header.opcode.isControlOpcode else {
            buffer.moveReaderIndex(forwardBy: header.size)
            state = .payload(remaining: header.length, header.unmasker)
            return .dataBegins(
                opcode: header.opcode, isFinal: header.isFinal, isCompressed: header.isCompressed,
                length: header.length)
        }
        guard buffer.readableBytes >= header.size + header.length else { return nil }
        buffer.moveReaderIndex(forwardBy: header.size)
        var payload = buffer.readSlice(length: header.length) ?? ByteBuffer()
        var unmasker = header.unmasker
        unmasker.unmask(&payload)
        return .control(header.opcode, payload)
    }

    /// Parses a header without consuming it, and throws as soon as one of its bytes is invalid.
    private func peekHeader(_ buffer: ByteBuffer) throws(WebSocketViolation) -> Header? {
        var buffer = buffer
        let available = buffer.readableBytes
        guard let first = buffer.readInteger(as: UInt8.self) else { return nil }
        guard let opcode = WebSocketOpcode(encodedWebSocketOpcode: first & 0x0F), Self.isKnown(opcode) else {
            throw .protocolError("reserved opcode")
        }
        let isFinal = first & 0x80 != 0
        let isCompressed = first & 0x40 != 0
        let canBeCompressed = allowsCompression && (opcode == .text || opcode == .binary)
        if first & 0x30 != 0 || (isCompressed && !canBeCompressed) { throw .protocolError("reserved bit set") }
        if opcode.isControlOpcode && !isFinal { throw .protocolError("fragmented control frame") }

        guard let second = buffer.readInteger(as: UInt8.self) else { return nil }
        if second & 0x80 == 0 { throw .protocolError("frame without mask") }
        var length = UInt64(second & 0x7F)
        if opcode.isControlOpcode && length > 125 { throw .protocolError("control frame too long") }
        if length == 126 {
            guard let extended = buffer.readInteger(as: UInt16.self) else { return nil }
            length = UInt64(extended)
            if length < 126 { throw .protocolError("length not in its shortest form") }
        } else if length == 127 {
            guard let extended = buffer.readInteger(as: UInt64.self) else { return nil }
            length = extended
            if length < 65_536 || length > UInt64(Int64.max) { throw .protocolError("invalid length") }
        }
        guard let key = buffer.readInteger(as: UInt32.self) else { return nil }
        return Header(
            opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, length: Int(length),
            unmasker: FrameUnmasker(key: key), size: available - buffer.readableBytes)
    }

    private static func isKnown(_ opcode: WebSocketOpcode) -> Bool {
        switch opcode {
        case .continuation, .text, .binary, .connectionClose, .ping, .pong: true
        default: false
        }
    }
}
