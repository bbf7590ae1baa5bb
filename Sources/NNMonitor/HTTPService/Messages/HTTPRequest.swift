package import NIOCore
package import NIOHTTP1

/// A request as passed to its handler: routed, authorized, and with a complete, decompressed body.
package struct HTTPRequest: Sendable {
    /// The request method. A GET route also receives HEAD.
    package var method: HTTPMethod
    /// The path as sent: without the query, not percent-decoded.
    package var path: String
    /// The segments captured by the pattern's `{name}`s, in order, percent-decoded.
    package var parameters: [String]
    /// The query's pairs in order, percent-decoded, with `+` decoded as a space.
    package var query: [(name: String, value: String)]
    /// The header fields as sent.
    package var headers: HTTPHeaders
    /// The decompressed body; empty if there is none, or if it is in `lines`.
    package var body: ByteBuffer
    /// The body as lines, if its content type is `application/x-ndjson`.
    package var lines: LineBody?
    /// The client's address without its port.
    package var peer: String
    /// The local port of the connection.
    package var port: Int
    /// Whether the connection is TLS.
    package var secure: Bool
    /// The grant of the route's scope; nil if the route requires no scope.
    package var access: AccessGrant?
    /// The connection; nil in tests without one.
    package var connection: RequestConnection?

    /// Creates a request. The defaults serve tests.
    package init(
        method: HTTPMethod, path: String, parameters: [String] = [], query: [(name: String, value: String)] = [],
        headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer(), peer: String = "127.0.0.1", port: Int = 0,
        secure: Bool = false, access: AccessGrant? = nil
    ) {
        self.method = method
        self.path = path
        self.parameters = parameters
        self.query = query
        self.headers = headers
        self.body = body
        self.peer = peer
        self.port = port
        self.secure = secure
        self.access = access
    }

    /// Whether the response may be compressed with gzip.
    package var acceptsGzip: Bool { AcceptEncoding.prefersGzip(self.headers) }
}

/// The connection of a request.
package struct RequestConnection: Sendable {
    /// The identity of its channel.
    package let id: ObjectIdentifier
    /// The loop on which its events are handled.
    package let eventLoop: any EventLoop
}
