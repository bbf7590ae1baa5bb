package import NIOCore
package import NIOHTTP1

/// One request as a handler sees it: routed, authorized, its body whole and inflated.
package struct HTTPRequest: Sendable {
    package var method: HTTPMethod
    /// The path as it was sent, without the query, not percent-decoded.
    package var path: String
    /// The segments that the pattern's `{name}`s captured, in order, percent-decoded.
    package var parameters: [String]
    /// The query's pairs in order, percent-decoded, `+` as a space.
    package var query: [(name: String, value: String)]
    package var headers: HTTPHeaders
    /// The body after inflating; empty when there was none.
    package var body: ByteBuffer
    /// The client's address without its port.
    package var peer: String
    /// The port that the client has connected to.
    package var port: Int
    /// Whether the connection is TLS.
    package var secure: Bool
    /// What the client was granted; nil only on routes that need no scope.
    package var access: AccessGrant?

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

    /// The last value of a query name, or nil.
    package func queryValue(_ name: String) -> String? {
        self.query.last { $0.name == name }?.value
    }
}
