import Compression
package import NIOCore
import NIOWebSocket
import Foundations

/// Encodes unfragmented messages, for any number of connections with the same negotiated parameters.
///
/// Thread-safe. It keeps its compressor between messages but compresses each message independently.
package final class WebSocketFrameEncoder: Sendable {
    /// Shorter payloads, in bytes, are not compressed: they would not become smaller.
    private static let minimumCompressed = 128

    /// zlib's level: speed over size.
    private static let level = 1

    private let windowBits: Int?
    private let deflater = Locked<DeflaterSlot>(DeflaterSlot())

    /// A compressor that is made for the first message that needs it.
    private struct DeflaterSlot: ~Copyable {
        var deflater: Deflater?
    }

    /// Makes an encoder.
    ///
    /// - Parameter deflate: the negotiated parameters of permessage-deflate; `nil`: no compression.
    package init(deflate: DeflateParameters?) {
        windowBits = deflate.flatMap { $0.compressesOutgoing ? $0.serverMaxWindowBits : nil }
    }

    /// Encodes a text message.
    ///
    /// - Parameter payload: the text in UTF-8, which is not validated.
    /// - Returns: the frame, to be written as `WebSocketOutbound.prepared`.
    package func text(_ payload: ByteBuffer) -> ByteBuffer { frame(.text, payload) }

    /// Encodes a binary message.
    ///
    /// - Parameter payload: the bytes of the message.
    /// - Returns: the frame, to be written as `WebSocketOutbound.prepared`.
    package func binary(_ payload: ByteBuffer) -> ByteBuffer { frame(.binary, payload) }

    private func frame(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBuffer()
        if let windowBits, payload.readableBytes >= Self.minimumCompressed,
            let compressed = compress(payload, windowBits: windowBits), compressed.readableBytes < payload.readableBytes
        {
            FrameWriter.append(opcode, compressed, isCompressed: true, to: &buffer)
        } else {
            FrameWriter.append(opcode, payload, to: &buffer)
        }
        return buffer
    }

    /// Compresses the payload of a message (RFC 7692 section 7.2.1).
    ///
    /// - Returns: the compressed payload; `nil` if memory is exhausted, and the message is then sent uncompressed.
    private func compress(_ payload: ByteBuffer, windowBits: Int) -> ByteBuffer? {
        deflater.withLock { slot in
            do throws(CompressionError) {
                if slot.deflater == nil {
                    slot.deflater = try Deflater(format: .raw(windowBits: windowBits), level: Self.level)
                }
                var compressed = ByteBuffer()
                try slot.deflater?.deflate(payload, into: &compressed, flush: .sync)
                slot.deflater?.reset()
                return compressed.readSlice(length: compressed.readableBytes - 4)
            } catch {
                slot.deflater = nil
                return nil
            }
        }
    }
}
