import CZlib
import NIOCore

/// A `z_stream` in an allocation of its own, and the one place where its pointers are set.
///
/// zlib keeps a pointer from its state back to the stream, so that the struct must never move.
///
/// Memory: `stream` is allocated and initialized in `init`, and freed in `deinit` after zlib has freed its state. It points to
/// bytes that are lent only while `run` has them.
@safe struct ZStream: ~Copyable {
    /// What to call at the end of the stream's life.
    enum Direction {
        case inflating
        case deflating
    }

    /// What one call of zlib did.
    struct Progress {
        let code: Int32
        let consumed: Int
        let produced: Int
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let direction: Direction

    /// A stream that inflates. `dictionary` is, for a raw one, the end of what came before it, at most 32 KiB.
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

    init(deflating windowBits: Int32, level: Int, memoryLevel: Int) throws(CompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        direction = .deflating
        let code = unsafe nn_deflate_init(stream, Int32(clamping: level), windowBits, Int32(clamping: memoryLevel))
        guard code == Z_OK else { throw .outOfMemory }
    }

    deinit {
        // Both refuse a stream that was never set up, so that a failed init may come here too.
        switch direction {
        case .inflating: unsafe _ = inflateEnd(stream)
        case .deflating: unsafe _ = deflateEnd(stream)
        }
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// Sets the stream back to its start.
    mutating func reset() {
        switch direction {
        case .inflating: unsafe _ = inflateReset(stream)
        case .deflating: unsafe _ = deflateReset(stream)
        }
    }

    /// Runs zlib once over the readable bytes of `input`, which it consumes, and appends to `output`.
    ///
    /// - Parameters:
    ///   - input: what is to be read.
    ///   - output: gets at most `room` bytes more.
    ///   - room: bytes of output at most.
    ///   - flush: zlib's flush mode.
    /// - Returns: zlib's code and how far it came.
    mutating func run(_ input: inout ByteBuffer, into output: inout ByteBuffer, room: Int, flush: Int32) -> Progress {
        let stream = unsafe self.stream
        let direction = self.direction
        var code = Z_OK
        var consumed = 0
        output.reserveCapacity(minimumWritableBytes: room)
        // The pointers are valid while zlib runs, inside of both closures, and are taken back before they end.
        let produced = unsafe output.withUnsafeMutableWritableBytes { target in
            unsafe input.withUnsafeReadableBytes { source in
                let inputCount = UInt32(clamping: source.count)
                let outputCount = UInt32(clamping: min(room, target.count))
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

    /// zlib's own words for the last error.
    var message: String {
        // The texts are constants of zlib's, there as long as the program.
        guard let text = unsafe stream.pointee.msg else { return "invalid data" }
        return unsafe String(cString: text)
    }
}
