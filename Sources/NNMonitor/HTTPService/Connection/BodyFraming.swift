import Foundations
import NIOHTTP1

/// How the end of a request's body is told (RFC 9112 §6.3).
enum BodyFraming: Equatable, Sendable {
    case none
    case length(Int)
    case chunked

    init(_ headers: HTTPHeaders) {
        if headers.contains(name: "transfer-encoding") {
            self = .chunked
        } else if let value = headers.first(name: "content-length") {
            // The decoder has checked the digits; what doesn't fit an Int is in any case too large.
            self = .length(Int(value.trimmed) ?? .max)
        } else {
            self = .none
        }
    }

    /// The body's length; nil when only its end will tell.
    var length: Int? {
        switch self {
        case .none: 0
        case .length(let length): length
        case .chunked: nil
        }
    }
}

extension HTTPRequestHead {
    /// The decoder lets HTTP/1.x through only.
    var isHTTP10: Bool { self.version.minor == 0 }

    /// Whether the client wants the connection to stay open (RFC 9112 §9.3). The decoder asks `Proxy-Connection` too, which
    /// no server must, and forgets a `close` beside a `keep-alive`; where it sees an end it reads nothing more.
    var isPersistent: Bool {
        guard self.isKeepAlive, !self.headers.lists("close", in: "connection") else { return false }
        return !self.isHTTP10 || self.headers.lists("keep-alive", in: "connection")
    }

    /// Whether the decoder takes this for a request to change the protocol: both headers are needed.
    var asksForUpgrade: Bool {
        self.headers.contains(name: "upgrade")
            && self.headers.lists("upgrade", in: "connection")
    }

    /// Whether the client asks for WebSocket. When that is refused, the connection ends: a proxy that takes the upgrade
    /// for granted would otherwise let its client send requests past it.
    var asksForWebSocket: Bool {
        self.asksForUpgrade
            && self.headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
    }
}
