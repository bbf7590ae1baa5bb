import NIOHTTP1

/// The head of a request, as `RequestDecoder` accepts it.
struct RequestHead: Sendable {
    var method: HTTPMethod
    /// The target as sent.
    var uri: String
    /// Whether the version is HTTP/1.0; otherwise it is HTTP/1.1.
    var isHTTP10: Bool
    /// The fields as sent, without white space around their values.
    var headers: HTTPHeaders
    var framing: BodyFraming
    var options: ConnectionOptions

    /// Whether the client wants a persistent connection (RFC 9112 section 9.3). `close` has precedence.
    var isPersistent: Bool {
        !self.options.contains(.close) && (!self.isHTTP10 || self.options.contains(.keepAlive))
    }

    /// Whether the client requests another protocol, with `Upgrade` and a `Connection` that names it.
    var requestsUpgrade: Bool { self.options.contains(.upgrade) && self.headers.contains(name: "upgrade") }

    /// Whether the client requests WebSocket. If that is rejected, the connection closes: a proxy that assumes the
    /// upgrade succeeded would let its client send requests past it.
    var requestsWebSocket: Bool {
        self.requestsUpgrade
            && self.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
    }

    /// The head as an upgrade route receives it.
    var nioHead: HTTPRequestHead {
        HTTPRequestHead(
            version: self.isHTTP10 ? .http1_0 : .http1_1, method: self.method, uri: self.uri, headers: self.headers)
    }
}

/// The options of `Connection` that the server knows (RFC 9110 section 7.6.1).
struct ConnectionOptions: OptionSet, Sendable {
    let rawValue: UInt8

    static let close = ConnectionOptions(rawValue: 1)
    static let keepAlive = ConnectionOptions(rawValue: 2)
    static let upgrade = ConnectionOptions(rawValue: 4)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The options that a value of `Connection` lists.
    init(listedIn value: String) {
        self = []
        for element in value.elements {
            if element.isSame(as: "close") {
                self.insert(.close)
            } else if element.isSame(as: "keep-alive") {
                self.insert(.keepAlive)
            } else if element.isSame(as: "upgrade") {
                self.insert(.upgrade)
            }
        }
    }
}
