import NIOCore
import NIOHTTP1

/// What every answer carries besides what its handler says, and the head that is made of both.
struct ResponseDecoration: Sendable {
    let cors: CORSPolicy
    let serverName: String?
    let hstsMaxAge: Int?

    /// How the end of an answer's body is told.
    enum Framing {
        case length(Int)
        case chunked
        /// By closing the connection, or there is nothing to say (204, 304).
        case none
    }

    /// What an answer's head says of its connection and its request.
    struct Circumstances {
        var framing: Framing
        var date: String
        /// The request's `Origin`.
        var origin: String?
        /// The request's `Host`.
        var host: String?
        var secure: Bool
        /// The value of `Connection`; nil leaves the field to the handler.
        var connection: StaticString?
    }

    /// Writes the head as it goes out. What the handler's fields say was checked before.
    func write(_ response: HTTPResponse, _ circumstances: Circumstances, to buffer: inout ByteBuffer) {
        var added = HTTPHeaders()
        self.cors.apply(to: &added, origin: circumstances.origin)
        let said = Said(response.headers)
        if let type = said.contentType, !said.hasPolicy, MediaType.essence(type) == "text/html" {
            added.add(
                name: "Content-Security-Policy",
                value: Self.policy(host: circumstances.host, secure: circumstances.secure))
        }
        if let serverName { added.add(name: "Server", value: serverName) }
        let room = 512 + response.status.reasonPhrase.utf8.count + Self.size(response.headers) + Self.size(added)
        buffer.writeHead(room: room) { head in
            head.literal("HTTP/1.1 ")
            head.number(Int(response.status.code))
            head.literal(" ")
            head.text(response.status.reasonPhrase)
            head.literal("\r\n")
            let connection = response.status == .switchingProtocols ? nil : circumstances.connection
            for (name, value) in response.headers {
                // Framing is decided here; what a handler says about it could only be wrong.
                switch FieldName(name) {
                case .contentLength, .transferEncoding: continue
                case .connection where connection != nil: continue
                default: head.field(name, value)
                }
            }
            head.literal("Date: ")
            head.text(circumstances.date)
            head.literal("\r\n")
            switch circumstances.framing {
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
            if circumstances.secure, let hstsMaxAge {
                head.literal("Strict-Transport-Security: max-age=")
                head.number(hstsMaxAge)
                head.literal("\r\n")
            }
            if !said.hasCacheControl { head.literal("Cache-Control: no-store\r\n") }
            head.literal("\r\n")
        }
    }

    /// The fields that matter here.
    private enum FieldName {
        case contentLength, transferEncoding, connection, contentType, cacheControl, securityPolicy, other

        init(_ name: String) {
            // Their lengths differ, so one comparison is enough.
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

    /// What the handler's fields say already.
    private struct Said {
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

    /// Bytes that fields take, with colons, spaces and line ends.
    private static func size(_ headers: HTTPHeaders) -> Int {
        headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
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
