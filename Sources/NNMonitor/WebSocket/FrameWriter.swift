import NIOCore
import NIOWebSocket

/// Writes a server's frames, which are never masked (RFC 6455 section 5.1).
enum FrameWriter {
    /// Appends a frame.
    static func append(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, isFinal: Bool = true, isCompressed: Bool = false,
        to buffer: inout ByteBuffer
    ) {
        let first = UInt8(webSocketOpcode: opcode) | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0)
        buffer.reserveCapacity(minimumWritableBytes: payload.readableBytes + 10)
        buffer.writeInteger(first)
        switch payload.readableBytes {
        case ..<126: buffer.writeInteger(UInt8(payload.readableBytes))
        case ..<65_536:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(payload.readableBytes))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(payload.readableBytes))
        }
        buffer.writeImmutableBuffer(payload)
    }
}
