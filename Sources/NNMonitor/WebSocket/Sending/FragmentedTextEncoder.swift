package import Compression
package import NIOCore
import NIOWebSocket

/// Encodes one long text message as fragments (RFC 6455 section 5.4).
///
/// Fragments may be encoded in any order and concurrently: each is compressed independently up to a byte boundary, so
/// that their concatenation is one DEFLATE stream (RFC 7692 section 7.2.1). Fragments longer than the window compress a
/// few percent worse than one stream, because they cannot refer to the text before them.
package struct FragmentedTextEncoder: Sendable {
    private static let deflaters = DeflaterPool()

    private let windowBits: Int?

    /// Makes an encoder.
    ///
    /// - Parameter deflate: the negotiated parameters of permessage-deflate; `nil`: no compression.
    package init(deflate: DeflateParameters?) {
        windowBits = deflate.flatMap { $0.compressesOutgoing ? $0.serverMaxWindowBits : nil }
    }

    /// Whether the encoder compresses.
    package var isCompressing: Bool { windowBits != nil }

    /// Encodes one fragment.
    ///
    /// - Parameters:
    ///   - piece: a part of the UTF-8 text; it may end within a character.
    ///   - isFirst: whether this is the first fragment of the message.
    ///   - isLast: whether this is the last fragment of the message.
    /// - Returns: the frame, to be written as `WebSocketOutbound.prepared`.
    /// - Throws: `outOfMemory`.
    package func frame(_ piece: [UInt8], isFirst: Bool, isLast: Bool) throws(CompressionError) -> ByteBuffer {
        let opcode = isFirst ? WebSocketOpcode.text : .continuation
        var buffer = ByteBuffer()
        guard let windowBits else {
            FrameWriter.begin(opcode, count: piece.count, isFinal: isLast, to: &buffer)
            buffer.writeBytes(piece)
            return buffer
        }
        var payload = try Self.deflaters.compress(ByteBuffer(bytes: piece), windowBits: windowBits)
        // The end of a message is sent without the empty block (RFC 7692 section 7.2.1).
        if isLast { payload.moveWriterIndex(to: payload.writerIndex - 4) }
        FrameWriter.append(opcode, payload, isFinal: isLast, isCompressed: isFirst, to: &buffer)
        return buffer
    }
}
