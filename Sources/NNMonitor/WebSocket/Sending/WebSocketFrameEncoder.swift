import Compression
package import NIOCore
import NIOWebSocket
import Foundations

/// Makes the ready bytes of whole messages, for any number of connections that negotiated the same.
///
/// Used away from the event loop. Keeps its zlib stream between messages, and compresses each by itself.
package final class WebSocketFrameEncoder: Sendable {
    /// Bytes below which compressing gains nothing.
    private static let worthCompressing = 128

    private let windowBits: Int?
    private let level: Int
    private let deflater = Guarded<DeflaterSlot>(DeflaterSlot())

    /// A place for a stream that is made when it is first needed.
    private struct DeflaterSlot: ~Copyable {
        var deflater: Deflater?
    }

    /// - Parameters:
    ///   - deflate: what was negotiated; `nil`: plain frames.
    ///   - level: zlib's level, 1 (fast) to 9 (small).
    package init(deflate: DeflateParameters?, level: Int = 1) {
        windowBits = deflate.flatMap { $0.compressesOutgoing ? $0.serverMaxWindowBits : nil }
        self.level = level
    }

    /// The frame of a text message.
    package func text(_ payload: ByteBuffer) -> ByteBuffer { frame(.text, payload) }

    /// The frame of a binary message.
    package func binary(_ payload: ByteBuffer) -> ByteBuffer { frame(.binary, payload) }

    private func frame(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) -> ByteBuffer {
        var buffer = ByteBuffer()
        if let windowBits, payload.readableBytes >= Self.worthCompressing,
            let compressed = compress(payload, windowBits: windowBits), compressed.readableBytes < payload.readableBytes
        {
            FrameWriter.append(opcode, compressed, isCompressed: true, to: &buffer)
        } else {
            FrameWriter.append(opcode, payload, to: &buffer)
        }
        return buffer
    }

    /// The payload of a compressed message (RFC 7692 section 7.2.1); `nil` when zlib has no memory: the message then goes
    /// as it is.
    private func compress(_ payload: ByteBuffer, windowBits: Int) -> ByteBuffer? {
        deflater.withLock { slot in
            do throws(CompressionError) {
                if slot.deflater == nil {
                    slot.deflater = try Deflater(format: .raw(windowBits: windowBits), level: level)
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
