package import NIOCore

/// The response to plain HTTP on a port that requires TLS.
package enum HTTPSRequired {
    private static let body =
        #"{"detail":{"error":"tls_required","message":"This port requires HTTPS. Use https:// instead of http://."}}"#

    /// The complete response: status 400 with the error as JSON.
    ///
    /// - Parameter request: the first bytes of the request. A response to HEAD has no body (RFC 9110 section 9.3.2).
    /// - Returns: the bytes of the response. The caller closes the connection after sending them.
    package static func response(to request: ByteBuffer) -> ByteBuffer {
        let head = """
            HTTP/1.1 400 Bad Request\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            X-Content-Type-Options: nosniff\r
            Connection: close\r
            \r

            """
        let isHead = request.readableBytesView.starts(with: "HEAD ".utf8)
        return ByteBuffer(string: isHead ? head : head + body)
    }
}
