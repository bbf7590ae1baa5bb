import NIOCore
import NIOHTTP1

/// Writes the head of a response (RFC 9112) into reserved memory.
///
/// The caller has checked that no text contains bytes that would end a line.
///
/// Memory: the buffer's. `ByteBuffer.writeHead` lends it for the writer's lifetime. Every write traps if the remaining
/// room is too small, which means that the caller computed `room` wrongly.
@safe struct HeadWriter: ~Copyable {
    private var position: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    fileprivate init(_ memory: UnsafeMutableRawBufferPointer) {
        // `baseAddress` is not nil: `writeHead` reserves at least `room` bytes.
        let start = unsafe memory.baseAddress.unsafelyUnwrapped
        unsafe position = start
        unsafe end = unsafe start + memory.count
    }

    fileprivate func count(since memory: UnsafeMutableRawBufferPointer) -> Int {
        unsafe position - memory.baseAddress.unsafelyUnwrapped
    }

    /// Writes the UTF-8 of `text`.
    mutating func text(_ text: String) {
        var text = text
        // `copy` checks the room; the pointer is valid during the closure.
        text.withUTF8 { unsafe self.copy($0.baseAddress, $0.count) }
    }

    /// Writes a literal.
    @inline(__always)
    mutating func literal(_ text: StaticString) {
        // The pointer is valid: the bytes of a `StaticString` live as long as the program.
        unsafe self.copy(text.utf8Start, text.utf8CodeUnitCount)
    }

    /// Writes a field line.
    mutating func field(_ name: String, _ value: String) {
        self.text(name)
        self.literal(": ")
        self.text(value)
        self.literal("\r\n")
    }

    /// Writes a non-negative number in decimal.
    mutating func number(_ value: Int) {
        if value >= 10 { self.number(value / 10) }
        var digit = UInt8(truncatingIfNeeded: value % 10) + UInt8(ascii: "0")
        unsafe self.copy(&digit, 1)
    }

    @inline(__always)
    private mutating func copy(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
        guard let bytes = unsafe bytes else { return }
        precondition(unsafe end - position >= count, "a head exceeds its computed room")
        // The precondition ensures that the bytes fit.
        unsafe position.copyMemory(from: bytes, byteCount: count)
        unsafe position += count
    }
}

extension ByteBuffer {
    /// Appends a head of at most `room` bytes.
    mutating func writeHead(room: Int, _ write: (inout HeadWriter) -> Void) {
        // The pointer is valid during the closure, which returns the number of bytes that it initialized.
        unsafe self.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { memory in
            var writer = unsafe HeadWriter(memory)
            write(&writer)
            return unsafe writer.count(since: memory)
        }
    }

    /// Writes the size line of a chunk (RFC 9112 section 7.1). The chunk's data and `chunkEnd` follow.
    mutating func writeChunkSize(_ size: Int) {
        self.writeString(String(size, radix: 16))
        self.writeStaticString("\r\n")
    }

    /// The last chunk of a chunked body, without trailers.
    static let lastChunk = ByteBuffer(string: "0\r\n\r\n")
    /// The line end after the data of a chunk.
    static let chunkEnd = ByteBuffer(string: "\r\n")
    /// The interim response to `Expect: 100-continue`.
    static let continueResponse = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
}
