import CZlib
package import NIOCore

/// Compresses a stream incrementally.
package struct Deflater: ~Copyable {
    /// How much of the input so far must appear in the output.
    package enum Flush: Sendable {
        /// As much as zlib chooses.
        case none
        /// All of it, up to a byte boundary; the output ends with the empty block 00 00 FF FF (RFC 7692 section 7.2.1).
        case sync
        /// All of it, and the end of the stream.
        case finish
    }

    private var stream: ZStream

    /// Makes a compressor at the start of a stream.
    ///
    /// - Parameters:
    ///   - format: the format of the output; `deflate` means `zlib`.
    ///   - level: zlib's level, 1 (fast) to 9 (small).
    ///   - memoryLevel: zlib's memory level, 1 to 9; 8 allocates 128 KiB besides the window.
    /// - Throws: `outOfMemory`.
    package init(format: CompressionFormat, level: Int = 6, memoryLevel: Int = 8) throws(CompressionError) {
        stream = try ZStream(deflating: format.windowBits, level: level, memoryLevel: memoryLevel)
    }

    /// Compresses the next part of the stream.
    ///
    /// - Parameters:
    ///   - input: the part; it may be empty.
    ///   - output: the compressed bytes are appended to it.
    ///   - flush: how much of the input must appear in the output.
    /// - Throws: `corrupt` if the stream was finished and not reset.
    package mutating func deflate(
        _ input: ByteBuffer, into output: inout ByteBuffer, flush: Flush
    ) throws(CompressionError) {
        let mode = flush == .none ? Z_NO_FLUSH : flush == .sync ? Z_SYNC_FLUSH : Z_FINISH
        var input = input
        let space = max(512, input.readableBytes / 2 + 64)
        while true {
            let progress = stream.run(&input, into: &output, space: space, flush: mode)
            if progress.code == Z_STREAM_END { return }
            if progress.code == Z_STREAM_ERROR { throw .corrupt("the stream was used after its end; reset it first") }
            // zlib left space in the output, so it has nothing more to write.
            if progress.produced < space && input.readableBytes == 0 { return }
        }
    }

    /// Starts a new stream with the same parameters.
    package mutating func reset() { stream.reset() }
}
