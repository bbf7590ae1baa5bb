import CZlib
package import NIOCore

/// Compresses a stream piece by piece.
package struct Deflater: ~Copyable {
    /// How much of what was given must come out.
    package enum Flush: Sendable {
        /// What is ready.
        case none
        /// Everything so far, up to a byte boundary: ends with the empty block 00 00 FF FF (RFC 7692 section 7.2.1).
        case sync
        /// Everything, and the end of the stream.
        case finish
    }

    private var stream: ZStream

    /// - Parameters:
    ///   - format: any but `deflate`, which becomes zlib's format.
    ///   - level: 1 (fast) to 9 (small).
    ///   - memoryLevel: 1 to 9; 8 takes 128 KiB beside the window.
    /// - Throws: `outOfMemory`.
    package init(format: CompressionFormat, level: Int = 6, memoryLevel: Int = 8) throws(CompressionError) {
        stream = try ZStream(deflating: format.windowBits, level: level, memoryLevel: memoryLevel)
    }

    /// Compresses a piece.
    ///
    /// - Parameters:
    ///   - input: the piece; empty is fine.
    ///   - output: what comes out is appended.
    ///   - flush: how much must come out.
    /// - Throws: `outOfMemory`.
    package mutating func deflate(
        _ input: ByteBuffer, into output: inout ByteBuffer, flush: Flush
    ) throws(CompressionError) {
        let mode = flush == .none ? Z_NO_FLUSH : flush == .sync ? Z_SYNC_FLUSH : Z_FINISH
        var input = input
        let room = max(512, input.readableBytes / 2 + 64)
        while true {
            let progress = stream.run(&input, into: &output, room: room, flush: mode)
            if progress.code == Z_STREAM_END { return }
            if progress.code == Z_STREAM_ERROR { throw .corrupt("the stream was used after its end") }
            // Room that is left says that nothing more is to come.
            if progress.produced < room && input.readableBytes == 0 { return }
        }
    }

    /// Begins a new stream with the same parameters.
    package mutating func reset() { stream.reset() }
}
