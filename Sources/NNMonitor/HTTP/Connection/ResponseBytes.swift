import NIOCore
import NIOHTTP1

/// How answers look on the wire (RFC 9112). That a head has no bytes that would end a line is checked before.
extension ByteBuffer {
    /// Writes a status line and fields, and the empty line after them.
    mutating func writeHead(_ head: HTTPResponseHead) {
        self.writeStaticString("HTTP/1.1 ")
        self.writeString(String(head.status.code))
        self.writeStaticString(" ")
        self.writeString(head.status.reasonPhrase)
        self.writeStaticString("\r\n")
        for (name, value) in head.headers {
            self.writeString(name)
            self.writeStaticString(": ")
            self.writeString(value)
            self.writeStaticString("\r\n")
        }
        self.writeStaticString("\r\n")
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
}
