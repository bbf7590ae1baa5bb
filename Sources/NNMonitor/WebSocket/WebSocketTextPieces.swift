package import Compression
package import NIOCore
import NIOWebSocket

/// Makes the ready bytes of one long text message, piece by piece: a fragmented message.
///
/// The pieces may be made in any order, and several at the same time: each is compressed by itself up to a byte boundary, so
/// that all of them, one after the other, are one DEFLATE stream (RFC 7692 section 7.2.1). A piece of some hundred
/// kilobytes loses next to nothing by not knowing the text before it.
package struct WebSocketTextPieces: Sendable {
    private let windowBits: Int?
    private let level: Int

    /// - Parameters:
    ///   - deflate: what was negotiated; `nil`: plain frames.
    ///   - level: zlib's level, 1 (fast) to 9 (small).
    package init(deflate: DeflateParameters?, level: Int = 1) {
        windowBits = deflate.flatMap { $0.compressesOutgoing ? $0.serverMaxWindowBits : nil }
        self.level = level
    }

    /// The frame that carries a piece.
    ///
    /// - Parameters:
    ///   - piece: UTF-8; a character may be cut in two.
    ///   - isFirst: whether the message begins with it.
    ///   - isLast: whether the message ends with it.
    /// - Returns: the bytes to write, as `WebSocketOutbound.prepared`.
    /// - Throws: `outOfMemory`.
    package func frame(
        _ piece: ByteBuffer, isFirst: Bool, isLast: Bool
    ) throws(CompressionError) -> ByteBuffer {
        var payload = piece
        if let windowBits {
            var deflater = try Deflater(format: .raw(windowBits: windowBits), level: level)
            payload = ByteBuffer()
            try deflater.deflate(piece, into: &payload, flush: .sync)
            // The end of a message goes without the empty block.
            if isLast { payload.moveWriterIndex(to: payload.writerIndex - 4) }
        }
        var buffer = ByteBuffer()
        FrameWriter.append(
            isFirst ? .text : .continuation, payload, isFinal: isLast, isCompressed: windowBits != nil && isFirst,
            to: &buffer)
        return buffer
    }
}
