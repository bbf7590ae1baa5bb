import HTTPService
import NIOCore
import Testing

@Suite struct HTTPSRequiredTests {
    @Test func `The response has the error in JSON and its length`() throws {
        let response = String(buffer: HTTPSRequired.response(to: ByteBuffer(string: "G")))
        #expect(response.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(response.contains("\r\nConnection: close\r\n"))
        let body = try #require(response.split(separator: "\r\n\r\n", maxSplits: 1).last)
        #expect(body.hasPrefix(#"{"detail":{"error":"tls_required","message":"#))
        #expect(response.contains("\r\nContent-Length: \(body.utf8.count)\r\n"))
    }

    @Test func `The response to HEAD has no body`() {
        let response = String(buffer: HTTPSRequired.response(to: ByteBuffer(string: "HEAD / HTTP/1.1\r\n")))
        #expect(response.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(response.hasSuffix("\r\n\r\n"))
    }
}
