import CZlib
package import NIOCore

/// Expands a compressed stream piece by piece, within limits.
package struct Inflater: ~Copyable {
    private let format: CompressionFormat
    private let limits: ExpansionLimits
    private var stream: ZStream
    private var consumed = 0
    private var produced = 0
    private var ended = false
    /// Zero bytes have followed the end of a gzip member. Nothing but more of them may come.
    private var isPadded = false
    /// The first bytes of a `deflate` stream, until it is known whether it has zlib's header.
    private var undecided: [UInt8]?
    /// Whether zlib reads without a header, in a `deflate` stream that turned out to have none.
    private var isBare = false

    /// Bytes that one call of zlib may produce: bounds what a piece of a bomb can cost before the limits are looked at.
    private static let mostRoom = 64 * 1024
    /// The same for the first call: a short piece does not claim room that it will not fill.
    private static let leastRoom = 512

    /// - Parameters:
    ///   - format: what the stream is.
    ///   - limits: how much it may expand.
    ///   - dictionary: for a raw stream, what was expanded before it and may be referred to.
    /// - Throws: `outOfMemory`.
    package init(
        format: CompressionFormat, limits: ExpansionLimits, dictionary: ByteBuffer = ByteBuffer()
    ) throws(CompressionError) {
        self.format = format
        self.limits = limits
        stream = try ZStream(inflating: format.windowBits, dictionary: dictionary)
        undecided = format == .deflate ? [] : nil
    }

    /// Expands a piece.
    ///
    /// - Parameters:
    ///   - input: is consumed whole.
    ///   - output: what it expands to is appended.
    /// - Throws: what is wrong with the stream; it can't be used any more then.
    package mutating func inflate(
        _ input: inout ByteBuffer, into output: inout ByteBuffer
    ) throws(CompressionError) {
        if undecided != nil, try !decide(&input, into: &output) { return }
        try expand(&input, into: &output)
    }

    /// Ends the stream: it must have come to its end.
    ///
    /// - Throws: `truncated` when it has not; `ratioExceeded` when the whole has expanded too much.
    package mutating func finish() throws(CompressionError) {
        if isRaw { return }
        guard ended else { throw .truncated }
        if exceedsRatio(limits.maximumRatio) { throw .ratioExceeded(limit: limits.maximumRatio) }
    }

    /// Begins to count for the limits anew, as for the next message of a stream with context takeover.
    package mutating func resetLimits() {
        consumed = 0
        produced = 0
    }

    /// Forgets everything: the next piece begins a new stream.
    package mutating func resetContext() {
        stream.reset()
        ended = false
        isPadded = false
        undecided = format == .deflate ? [] : nil
        resetLimits()
    }

    private mutating func expand(
        _ input: inout ByteBuffer, into output: inout ByteBuffer
    ) throws(CompressionError) {
        var room = max(Self.leastRoom, min(Self.mostRoom / 4, input.readableBytes) * 4)
        // With Z_FINISH, a stream that ends within this call leaves no window behind, which zlib would first make. One that
        // doesn't goes on as ever.
        let flush = isRaw ? Z_SYNC_FLUSH : Z_FINISH
        while true {
            if ended {
                guard input.readableBytes > 0 else { return }
                guard format.canFollowItself else { throw .trailingData }
                if format == .gzip, try skipPadding(&input) { return }
                stream.reset()
                ended = false
            }
            let progress = stream.run(&input, into: &output, room: room, flush: flush)
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
            // A stream may be ahead of its average while it is read; `finish` looks at the whole.
            if exceedsRatio(ratioAhead) {
                throw .ratioExceeded(limit: limits.maximumRatio)
            }
            if input.readableBytes == 0 && progress.produced < room { return }
            if progress.consumed == 0 && progress.produced == 0 && !ended { throw .corrupt(stream.message) }
            if progress.produced == room { room = min(Self.mostRoom, room * 2) }
        }
    }

    private var isRaw: Bool {
        if case .raw = format { true } else { false }
    }

    private var ratioAhead: Int {
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

    /// Looks at the first two bytes: zlib's header is a multiple of 31 with method 8 (RFC 1950 section 2.2).
    ///
    /// - Returns: whether the form is known now, so that the rest of the input can follow.
    private mutating func decide(
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
        if isBare == hasHeader {
            stream = try ZStream(inflating: hasHeader ? 15 : -15)
            isBare = !hasHeader
        }
        var head = ByteBuffer(bytes: first)
        try expand(&head, into: &output)
        return true
    }
}
