import NIOCore
import NIOHTTP1

/// Writes the head of an answer (RFC 9112) line by line into memory that is reserved for it.
///
/// That no text has bytes that would end a line is checked before.
///
/// Memory: the buffer's, lent by `ByteBuffer.writeHead` for the time that this lives. Every write looks first whether there is
/// room, and ends the program when there is not, because room was miscounted.
@safe struct HeadWriter: ~Copyable {
    private var position: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    fileprivate init(_ memory: UnsafeMutableRawBufferPointer) {
        // The buffer is never empty: room is asked for.
        let start = unsafe memory.baseAddress.unsafelyUnwrapped
        unsafe position = start
        unsafe end = unsafe start + memory.count
    }

    fileprivate func count(since memory: UnsafeMutableRawBufferPointer) -> Int {
        unsafe position - memory.baseAddress.unsafelyUnwrapped
    }

    /// Writes text as it is.
    mutating func text(_ text: String) {
        var text = text
        // There is room for all of it, and the text is lent for the call.
        text.withUTF8 { unsafe self.copy($0.baseAddress, $0.count) }
    }

    /// Writes text that is known when the program is built.
    @inline(__always)
    mutating func literal(_ text: StaticString) {
        // A literal's bytes are there as long as the program.
        unsafe self.copy(text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Writes a field's line.
    mutating func field(_ name: String, _ value: String) {
        self.text(name)
        self.literal(": ")
        self.text(value)
        self.literal("\r\n")
    }

    /// Writes a whole number that is not negative.
    mutating func number(_ value: Int) {
        if value >= 10 { self.number(value / 10) }
        var digit = UInt8(truncatingIfNeeded: value % 10) + UInt8(ascii: "0")
        unsafe self.copy(&digit, 1)
    }

    @inline(__always)
    private mutating func copy(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
        guard let bytes = unsafe bytes else { return }
        precondition(unsafe end - position >= count, "a head is longer than was reckoned")
        // There is room for all of them.
        unsafe position.copyMemory(from: bytes, byteCount: count)
        unsafe position += count
    }
}

extension ByteBuffer {
    /// Lends memory to a writer, which may write up to so many bytes there.
    mutating func writeHead(room: Int, _ write: (inout HeadWriter) -> Void) {
        // The memory is the buffer's, and is lent for this call only; what was written is told at its end.
        unsafe self.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { memory in
            var writer = unsafe HeadWriter(memory)
            write(&writer)
            return unsafe writer.count(since: memory)
        }
    }

    /// Writes what stands before the bytes of a chunk (RFC 9112 §7.1); CR LF follow them.
    mutating func writeChunkSize(_ size: Int) {
        self.writeString(String(size, radix: 16))
        self.writeStaticString("\r\n")
    }

    /// The chunk that ends a chunked body, without trailers.
    static let lastChunk = ByteBuffer(string: "0\r\n\r\n")
    /// What follows the bytes of a chunk.
    static let chunkEnd = ByteBuffer(string: "\r\n")
    /// What a client is told that waits before it sends its body.
    static let goOn = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
}
