import CZlib
import NIOCore

/// A `z_stream` at a fixed address: zlib's state has a pointer back to it, so the struct must not move.
///
/// Memory: `init` allocates and initializes `stream`; `deinit` frees it after zlib has freed its state. Its pointers to
/// input and output are set only during `run`.
@safe struct ZStream: ~Copyable {
    /// Selects zlib's functions.
    enum Direction {
        case inflating
        case deflating
    }

    /// The result of one call of zlib.
    struct Progress {
        /// zlib's return code.
        let code: Int32
        /// Bytes of input read.
        let consumed: Int
        /// Bytes of output written.
        let produced: Int
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let direction: Direction

    /// Makes a stream to inflate; `windowBits` as for `inflateInit2`. `dictionary`, for a raw stream, is the end of the
    /// output before its start, at most 32 KiB.
    init(inflating windowBits: Int32, dictionary: ByteBuffer = ByteBuffer()) throws(CompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        direction = .inflating
        guard unsafe nn_inflate_init(stream, windowBits) == Z_OK else { throw .outOfMemory }
        guard dictionary.readableBytes > 0 else { return }
        let stream = unsafe self.stream
        // zlib copies the bytes, which are lent for the call.
        let code = unsafe dictionary.withUnsafeReadableBytes { bytes in
            unsafe inflateSetDictionary(
                stream, bytes.bindMemory(to: UInt8.self).baseAddress, UInt32(clamping: bytes.count))
        }
        guard code == Z_OK else { throw .outOfMemory }
    }

    /// Makes a stream to deflate; the arguments as for `deflateInit2`.
    init(deflating windowBits: Int32, level: Int, memoryLevel: Int) throws(CompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        direction = .deflating
        let code = unsafe nn_deflate_init(stream, Int32(clamping: level), windowBits, Int32(clamping: memoryLevel))
        guard code == Z_OK else { throw .outOfMemory }
    }

    deinit {
        // Both ignore a stream that zlib has not initialized, so this is also correct after `init` has thrown.
        switch direction {
        case .inflating: unsafe _ = inflateEnd(stream)
        case .deflating: unsafe _ = deflateEnd(stream)
        }
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// Starts a new stream with the same parameters.
    mutating func reset() {
        switch direction {
        case .inflating: unsafe _ = inflateReset(stream)
        case .deflating: unsafe _ = deflateReset(stream)
        }
    }

    /// Calls zlib once.
    ///
    /// - Parameters:
    ///   - input: zlib reads from its readable bytes, and its reader index moves forward.
    ///   - output: zlib appends to it.
    ///   - space: the maximum number of bytes to append.
    ///   - flush: zlib's flush mode.
    /// - Returns: zlib's return code and the number of bytes read and written.
    mutating func run(_ input: inout ByteBuffer, into output: inout ByteBuffer, space: Int, flush: Int32) -> Progress {
        let stream = unsafe self.stream
        let direction = self.direction
        var code = Z_OK
        var consumed = 0
        output.reserveCapacity(minimumWritableBytes: space)
        // Both pointers are valid during the closures and are cleared before the closures return.
        let produced = unsafe output.withUnsafeMutableWritableBytes { target in
            unsafe input.withUnsafeReadableBytes { source in
                let inputCount = UInt32(clamping: source.count)
                let outputCount = UInt32(clamping: min(space, target.count))
                unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(
                    mutating: source.bindMemory(to: UInt8.self).baseAddress)
                unsafe stream.pointee.avail_in = inputCount
                unsafe stream.pointee.next_out = unsafe target.bindMemory(to: UInt8.self).baseAddress
                unsafe stream.pointee.avail_out = outputCount
                switch direction {
                case .inflating: unsafe code = inflate(stream, flush)
                case .deflating: unsafe code = deflate(stream, flush)
                }
                unsafe consumed = Int(inputCount - stream.pointee.avail_in)
                let produced = unsafe Int(outputCount - stream.pointee.avail_out)
                unsafe stream.pointee.next_in = nil
                unsafe stream.pointee.next_out = nil
                return produced
            }
        }
        output.moveWriterIndex(forwardBy: produced)
        input.moveReaderIndex(forwardBy: consumed)
        return Progress(code: code, consumed: consumed, produced: produced)
    }

    /// zlib's message for the last error.
    var message: String {
        // zlib's messages are string literals, which are always valid.
        guard let text = unsafe stream.pointee.msg else { return "invalid data" }
        return unsafe String(cString: text)
    }
}
