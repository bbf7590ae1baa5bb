import NIOCore
import NIOHTTP1

/// What every answer carries besides what its handler says.
struct ResponseDecoration: Sendable {
    let cors: CORSPolicy
    let serverName: String?

    /// How the end of an answer's body is told.
    enum Framing {
        case length(Int)
        case chunked
        /// By closing the connection, or there is nothing to say (204, 304).
        case none
    }

    /// The head as it goes out.
    func head(
        of response: HTTPResponse, framing: Framing, date: String, origin: String?, host: String?, secure: Bool,
        connection: String?
    ) -> HTTPResponseHead {
        var headers = response.headers
        // Framing is decided here; what a handler says about it could only be wrong.
        headers.remove(name: "content-length")
        headers.remove(name: "transfer-encoding")
        headers.add(name: "Date", value: date)
        if let serverName { headers.add(name: "Server", value: serverName) }
        switch framing {
        case .length(let length): headers.add(name: "Content-Length", value: String(length))
        case .chunked: headers.add(name: "Transfer-Encoding", value: "chunked")
        case .none: break
        }
        if let connection, response.status != .switchingProtocols {
            headers.replaceOrAdd(name: "Connection", value: connection)
        }
        self.cors.apply(to: &headers, origin: origin)
        Self.protect(&headers, host: host, secure: secure)
        return HTTPResponseHead(version: .http1_1, status: response.status, headers: headers)
    }

    /// The security headers.
    private static func protect(_ headers: inout HTTPHeaders, host: String?, secure: Bool) {
        headers.add(name: "X-Content-Type-Options", value: "nosniff")
        headers.add(name: "Referrer-Policy", value: "no-referrer")
        if secure { headers.add(name: "Strict-Transport-Security", value: "max-age=31536000") }
        if let type = headers.first(name: "content-type"), MediaType.essence(type) == "text/html",
            !headers.contains(name: "content-security-policy")
        {
            headers.add(name: "Content-Security-Policy", value: Self.policy(host: host, secure: secure))
        }
        if !headers.contains(name: "cache-control") { headers.add(name: "Cache-Control", value: "no-store") }
    }

    /// The policy of pages: nothing inline, nothing from elsewhere. The WebSocket's origin is named, since not every
    /// browser takes `'self'` to cover it.
    private static func policy(host: String?, secure: Bool) -> String {
        var connect = "'self'"
        if let host, !host.isEmpty, Authority(host, defaultPort: 0) != nil {
            connect += (secure ? " wss://" : " ws://") + host
        }
        return "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            + "connect-src \(connect); object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    }
}
