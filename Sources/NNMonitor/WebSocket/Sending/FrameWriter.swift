import NIOCore
import NIOWebSocket

/// Encodes the frames of a server, which are not masked (RFC 6455 section 5.1).
enum FrameWriter {
    /// Appends a frame.
    static func append(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, isFinal: Bool = true, isCompressed: Bool = false,
        to buffer: inout ByteBuffer
    ) {
        begin(opcode, count: payload.readableBytes, isFinal: isFinal, isCompressed: isCompressed, to: &buffer)
        buffer.writeImmutableBuffer(payload)
    }

    /// Appends the header of a frame and reserves space for its payload of `count` bytes, which the caller appends.
    static func begin(
        _ opcode: WebSocketOpcode, count: Int, isFinal: Bool, isCompressed: Bool = false, to buffer: inout ByteBuffer
    ) {
        let first = UInt8(webSocketOpcode: opcode) | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0)
        buffer.reserveCapacity(minimumWritableBytes: count + 10)
        buffer.writeInteger(first)
        switch count {
        case ..<126: buffer.writeInteger(UInt8(count))
        case ..<65_536:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(count))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(count))
        }
    }
}
