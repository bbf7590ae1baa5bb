package import NIOCore

/// The answer to a client that sends plain HTTP to a port that expects TLS.
package enum HTTPSRequired {
    private static let body =
        #"{"detail":{"error":"tls_required","message":"This port requires HTTPS. Use https:// instead of http://."}}"#

    /// Makes the whole response: status 400 and the error in JSON.
    ///
    /// - Parameter request: the first bytes of the request. A response to HEAD has no body (RFC 9110 section 9.3.2).
    /// - Returns: the bytes of the response, after which the connection closes.
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
