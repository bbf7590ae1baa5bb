package import Compression
package import NIOCore
import NIOWebSocket

/// Makes the ready bytes of one long text message, piece by piece: a fragmented message.
///
/// The pieces may be made in any order, and several at the same time: each is compressed by itself up to a byte boundary, so
/// that all of them, one after the other, are one DEFLATE stream (RFC 7692 section 7.2.1). A piece longer than the window
/// loses a few percent by not knowing the text before it.
package struct WebSocketTextPieces: Sendable {
    private static let streams = DeflaterPool()

    private let windowBits: Int?

    /// - Parameter deflate: what was negotiated; `nil`: plain frames.
    package init(deflate: DeflateParameters?) {
        windowBits = deflate.flatMap { $0.compressesOutgoing ? $0.serverMaxWindowBits : nil }
    }

    /// Whether a piece takes less than its text.
    package var areCompressed: Bool { windowBits != nil }

    /// The frame that carries a piece.
    ///
    /// - Parameters:
    ///   - piece: UTF-8; a character may be cut in two.
    ///   - isFirst: whether the message begins with it.
    ///   - isLast: whether the message ends with it.
    /// - Returns: the bytes to write, as `WebSocketOutbound.prepared`.
    /// - Throws: `outOfMemory`.
    package func frame(_ piece: [UInt8], isFirst: Bool, isLast: Bool) throws(CompressionError) -> ByteBuffer {
        let opcode = isFirst ? WebSocketOpcode.text : .continuation
        var buffer = ByteBuffer()
        guard let windowBits else {
            FrameWriter.begin(opcode, count: piece.count, isFinal: isLast, to: &buffer)
            buffer.writeBytes(piece)
            return buffer
        }
        var payload = try Self.streams.compress(ByteBuffer(bytes: piece), windowBits: windowBits)
        // The end of a message goes without the empty block.
        if isLast { payload.moveWriterIndex(to: payload.writerIndex - 4) }
        FrameWriter.append(opcode, payload, isFinal: isLast, isCompressed: isFirst, to: &buffer)
        return buffer
    }
}
