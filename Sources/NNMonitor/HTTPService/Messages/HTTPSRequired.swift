import NIOCore

/// What somebody gets who speaks plain HTTP to the TLS port.
enum PlainHTTPAnswer {
    private static let body =
        #"{"detail":{"error":"tls_required","message":"This port speaks HTTPS. Use https:// instead of http://."}}"#

    /// The whole response. `request` is the beginning of what was sent: a HEAD gets no body.
    static func response(to request: ByteBuffer, allocator: ByteBufferAllocator) -> ByteBuffer {
        let head = """
            HTTP/1.1 400 Bad Request\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            X-Content-Type-Options: nosniff\r
            Connection: close\r
            \r

            """
        let isHead = request.readableBytesView.starts(with: "HEAD ".utf8)
        return allocator.buffer(string: isHead ? head : head + body)
    }
}
