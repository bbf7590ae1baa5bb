import Foundations
import NIOHTTP1

/// How the end of a request's body is determined (RFC 9112 section 6.3).
enum BodyFraming: Equatable, Sendable {
    case none
    case length(Int)
    case chunked

    init(_ headers: HTTPHeaders) {
        if headers.contains(name: "transfer-encoding") {
            self = .chunked
        } else if let value = headers.first(name: "content-length") {
            // The decoder has checked the digits. A value that overflows `Int` exceeds every limit.
            self = .length(Int(value.trimmed) ?? .max)
        } else {
            self = .none
        }
    }

    /// The body's length in bytes; nil if it is chunked.
    var length: Int? {
        switch self {
        case .none: 0
        case .length(let length): length
        case .chunked: nil
        }
    }
}

extension HTTPRequestHead {
    /// Whether the version is HTTP/1.0. The decoder rejects other versions than HTTP/1.x.
    var isHTTP10: Bool { self.version.minor == 0 }

    /// Whether the client wants a persistent connection (RFC 9112 section 9.3). NIO's `isKeepAlive` also honors
    /// `Proxy-Connection`, which a server must not use, and overlooks a `close` beside a `keep-alive`. It is still
    /// required here, because the decoder stops reading if it is false.
    var isPersistent: Bool {
        guard self.isKeepAlive, !self.headers.lists("close", in: "connection") else { return false }
        return !self.isHTTP10 || self.headers.lists("keep-alive", in: "connection")
    }

    /// Whether the decoder treats this as an upgrade request: both headers are required.
    var asksForUpgrade: Bool {
        self.headers.contains(name: "upgrade")
            && self.headers.lists("upgrade", in: "connection")
    }

    /// Whether the client requests WebSocket. If that is rejected, the connection closes: a proxy that assumes the
    /// upgrade succeeded would let its client send requests past it.
    var asksForWebSocket: Bool {
        self.asksForUpgrade
            && self.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
    }
}
