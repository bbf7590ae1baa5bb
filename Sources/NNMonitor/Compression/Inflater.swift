import CZlib
package import NIOCore

/// Decompresses a stream incrementally, within limits.
package struct Inflater: ~Copyable {
    private let format: CompressionFormat
    private let limits: ExpansionLimits
    private var stream: ZStream
    private var consumed = 0
    private var produced = 0
    private var ended = false
    /// Zero bytes have followed the end of a gzip member. Only more of them may follow.
    private var isPadded = false
    /// The first bytes of a `deflate` stream, until two have arrived that show whether it has a zlib header.
    private var undecided: [UInt8]?

    /// Maximum output of one call of zlib in bytes: bounds the memory before the limits are checked.
    private static let maximumSpace = 64 * 1024
    /// Minimum output space of the first call in bytes: short inputs reserve little memory.
    private static let minimumSpace = 512

    /// Makes a decompressor at the start of a stream.
    ///
    /// - Parameters:
    ///   - format: the format of the input.
    ///   - limits: the limits on the output.
    ///   - dictionary: for a raw stream, the output before its start, to which it may refer.
    /// - Throws: `outOfMemory`.
    package init(
        format: CompressionFormat, limits: ExpansionLimits, dictionary: ByteBuffer = ByteBuffer()
    ) throws(CompressionError) {
        self.format = format
        self.limits = limits
        stream = try ZStream(inflating: format.windowBits, dictionary: dictionary)
        undecided = format == .deflate ? [] : nil
    }

    /// Decompresses the next part of the stream.
    ///
    /// - Parameters:
    ///   - input: the part, all of which is consumed.
    ///   - output: the decompressed bytes are appended to it.
    /// - Throws: any `CompressionError` except `truncated`; the stream cannot be used afterwards.
    package mutating func inflate(
        _ input: inout ByteBuffer, into output: inout ByteBuffer
    ) throws(CompressionError) {
        if undecided != nil, try !detectHeader(&input, into: &output) { return }
        try expand(&input, into: &output)
    }

    /// Checks that the input was a complete stream. Raw streams have no required end.
    ///
    /// - Throws: `truncated` if it was not; `ratioExceeded` if the whole output is too large for the input.
    package mutating func finish() throws(CompressionError) {
        if isRaw { return }
        guard ended else { throw .truncated }
        if exceedsRatio(limits.maximumRatio) { throw .ratioExceeded(limit: limits.maximumRatio) }
    }

    private mutating func expand(
        _ input: inout ByteBuffer, into output: inout ByteBuffer
    ) throws(CompressionError) {
        var space = max(Self.minimumSpace, min(Self.maximumSpace / 4, input.readableBytes) * 4)
        // With Z_FINISH, zlib allocates no window if the stream ends in this call; otherwise it continues as usual.
        let flush = isRaw ? Z_SYNC_FLUSH : Z_FINISH
        while true {
            if ended {
                guard input.readableBytes > 0 else { return }
                guard format.canFollowItself else { throw .trailingData }
                if format == .gzip, try skipPadding(&input) { return }
                stream.reset()
                ended = false
            }
            let progress = stream.run(&input, into: &output, space: space, flush: flush)
            consumed += progress.consumed
            produced += progress.produced
            switch progress.code {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: ended = true
            case Z_MEM_ERROR: throw .outOfMemory
            case Z_NEED_DICT: throw .corrupt("it needs a preset dictionary")
            default: throw .corrupt(stream.message)
            }
            if produced > limits.maximumSize { throw .tooLarge(limit: limits.maximumSize) }
            // A prefix of the stream may exceed the ratio of the whole, which `finish` checks.
            if exceedsRatio(prefixRatio) {
                throw .ratioExceeded(limit: limits.maximumRatio)
            }
            if input.readableBytes == 0 && progress.produced < space { return }
            if progress.consumed == 0 && progress.produced == 0 && !ended { throw .corrupt(stream.message) }
            if progress.produced == space { space = min(Self.maximumSpace, space * 2) }
        }
    }

    private var isRaw: Bool {
        if case .raw = format { true } else { false }
    }

    /// The limit on the ratio before the end of the stream: a sixteenth higher.
    private var prefixRatio: Int {
        let (ratio, overflow) = limits.maximumRatio.addingReportingOverflow(limits.maximumRatio / 16)
        return overflow ? .max : ratio
    }

    private func exceedsRatio(_ ratio: Int) -> Bool {
        guard produced > limits.ratioFloor else { return false }
        let (allowed, overflow) = consumed.multipliedReportingOverflow(by: ratio)
        return !overflow && produced > allowed
    }

    /// Ignores zero bytes after a gzip member, as gunzip does: tapes and block devices pad files with them.
    ///
    /// - Returns: whether the rest of the input is such padding.
    private mutating func skipPadding(_ input: inout ByteBuffer) throws(CompressionError) -> Bool {
        guard isPadded || input.readableBytesView.first == 0 else { return false }
        isPadded = true
        guard input.readableBytesView.allSatisfy({ $0 == 0 }) else { throw .trailingData }
        input.moveReaderIndex(forwardBy: input.readableBytes)
        return true
    }

    /// Detects the zlib header by the first two bytes: a multiple of 31 with method 8 (RFC 1950 section 2.2).
    ///
    /// - Returns: whether two bytes have arrived, so that the rest of the input can be decompressed.
    private mutating func detectHeader(
        _ input: inout ByteBuffer, into output: inout ByteBuffer
    ) throws(CompressionError) -> Bool {
        var first = undecided ?? []
        while first.count < 2, let byte = input.readInteger(as: UInt8.self) { first.append(byte) }
        guard first.count == 2 else {
            undecided = first
            return false
        }
        undecided = nil
        let hasHeader = first[0] & 0x0F == 8 && (Int(first[0]) << 8 | Int(first[1])) % 31 == 0
        if !hasHeader { stream = try ZStream(inflating: -15) }
        var head = ByteBuffer(bytes: first)
        try expand(&head, into: &output)
        return true
    }
}
