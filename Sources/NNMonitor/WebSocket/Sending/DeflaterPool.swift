import Compression
import Foundations
import NIOCore

/// Keeps zlib's streams for the next piece: memory that is new to the caches makes a short piece a fifth slower.
///
/// A stream is taken for the time of one piece, so that there are never more than threads that compress, however many
/// messages are under way.
final class DeflaterPool: Sendable {
    /// Fast rather than small.
    private static let level = 1
    /// With 64 KiB less than by default the stream and a piece stay in a processor's own cache.
    private static let memoryLevel = 7

    /// A stream; whoever has taken it is alone with it.
    private final class Stream: Sendable {
        let deflater: Guarded<Deflater>

        init(windowBits: Int) throws(CompressionError) {
            deflater = Guarded(
                try Deflater(
                    format: .raw(windowBits: windowBits), level: DeflaterPool.level,
                    memoryLevel: DeflaterPool.memoryLevel))
        }
    }

    /// Free streams by their window.
    private let free = Guarded<[Int: [Stream]]>([:])
    /// Free streams kept of a window.
    private let kept = System.coreCount

    /// Compresses a piece by itself up to a byte boundary.
    ///
    /// - Parameters:
    ///   - piece: what to compress.
    ///   - windowBits: the window is 2^this bytes.
    /// - Returns: DEFLATE blocks, the last of them the empty one.
    /// - Throws: `outOfMemory`.
    func compress(_ piece: ByteBuffer, windowBits: Int) throws(CompressionError) -> ByteBuffer {
        let waiting = free.withLock { $0[windowBits]?.popLast() }
        let stream = if let waiting { waiting } else { try Stream(windowBits: windowBits) }
        let output = try stream.deflater.withLock { (deflater) throws(CompressionError) in
            var output = ByteBuffer()
            try deflater.deflate(piece, into: &output, flush: .sync)
            deflater.reset()
            return output
        }
        free.withLock { free in
            if free[windowBits, default: []].count < kept { free[windowBits, default: []].append(stream) }
        }
        return output
    }
}
