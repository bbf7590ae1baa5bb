import NIOCore
import NIOHTTP1

/// Writes the head of a response: the handler's fields and those that every response has.
struct ResponseDecoration: Sendable {
    let cors: CORSPolicy
    let serverName: String?
    let hstsMaxAge: Int?

    /// How the end of the body is marked.
    enum Framing {
        case length(Int)
        case chunked
        /// The body ends when the connection closes, or the status has no body (204, 304).
        case none
    }

    /// The parts of the head that depend on the connection and the request.
    struct ResponseContext {
        var framing: Framing
        var date: String
        /// The request's `Origin`.
        var origin: String?
        /// The request's `Host`.
        var host: String?
        var secure: Bool
        /// The value of `Connection`; nil keeps the handler's field.
        var connection: StaticString?
    }

    /// Writes the head. The caller has checked the handler's fields (`nameOfUnwritable`).
    func write(_ response: HTTPResponse, _ context: ResponseContext, to buffer: inout ByteBuffer) {
        var added = HTTPHeaders()
        self.cors.apply(to: &added, origin: context.origin)
        let handlerHeaders = HandlerHeaders(response.headers)
        if let type = handlerHeaders.contentType, !handlerHeaders.hasPolicy, MediaType.essence(type) == "text/html" {
            added.add(
                name: "Content-Security-Policy",
                value: Self.policy(host: context.host, secure: context.secure))
        }
        if let serverName { added.add(name: "Server", value: serverName) }
        let room = 512 + response.status.reasonPhrase.utf8.count + Self.size(response.headers) + Self.size(added)
        buffer.writeHead(room: room) { head in
            head.literal("HTTP/1.1 ")
            head.number(Int(response.status.code))
            head.literal(" ")
            head.text(response.status.reasonPhrase)
            head.literal("\r\n")
            let connection = response.status == .switchingProtocols ? nil : context.connection
            for (name, value) in response.headers {
                // The server determines the framing; the handler's framing fields are dropped.
                switch FieldName(name) {
                case .contentLength, .transferEncoding: continue
                case .connection where connection != nil: continue
                default: head.field(name, value)
                }
            }
            head.literal("Date: ")
            head.text(context.date)
            head.literal("\r\n")
            switch context.framing {
            case .length(let length):
                head.literal("Content-Length: ")
                head.number(length)
                head.literal("\r\n")
            case .chunked: head.literal("Transfer-Encoding: chunked\r\n")
            case .none: break
            }
            if let connection {
                head.literal("Connection: ")
                head.literal(connection)
                head.literal("\r\n")
            }
            for (name, value) in added { head.field(name, value) }
            head.literal("X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n")
            if context.secure, let hstsMaxAge {
                head.literal("Strict-Transport-Security: max-age=")
                head.number(hstsMaxAge)
                head.literal("\r\n")
            }
            if !handlerHeaders.hasCacheControl { head.literal("Cache-Control: no-store\r\n") }
            head.literal("\r\n")
        }
    }

    /// The handler's fields that affect the head.
    private enum FieldName {
        case contentLength, transferEncoding, connection, contentType, cacheControl, securityPolicy, other

        init(_ name: String) {
            // The lengths differ, so one comparison suffices.
            let (field, text): (FieldName, StaticString) =
                switch name.utf8.count {
                case 10: (.connection, "connection")
                case 12: (.contentType, "content-type")
                case 13: (.cacheControl, "cache-control")
                case 14: (.contentLength, "content-length")
                case 17: (.transferEncoding, "transfer-encoding")
                case 23: (.securityPolicy, "content-security-policy")
                default: (.other, "")
                }
            self = field != .other && name.isSame(as: text) ? field : .other
        }
    }

    /// The handler's fields that replace the server's own.
    private struct HandlerHeaders {
        var contentType: String?
        var hasPolicy = false
        var hasCacheControl = false

        init(_ headers: HTTPHeaders) {
            for (name, value) in headers {
                switch FieldName(name) {
                case .contentType: if self.contentType == nil { self.contentType = value }
                case .securityPolicy: self.hasPolicy = true
                case .cacheControl: self.hasCacheControl = true
                default: break
                }
            }
        }
    }

    /// The size of the fields in bytes, with colons, spaces and line ends.
    private static func size(_ headers: HTTPHeaders) -> Int {
        headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }

    /// The Content-Security-Policy of HTML pages: no inline code, nothing from other origins. It names the WebSocket's
    /// origin explicitly, because in some browsers `'self'` does not include it.
    private static func policy(host: String?, secure: Bool) -> String {
        var connect = "'self'"
        if let host, !host.isEmpty, Authority(host, defaultPort: 0) != nil {
            connect += (secure ? " wss://" : " ws://") + host
        }
        return "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            + "connect-src \(connect); object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    }
}
