import NIOCore
import NIOHTTP1

/// The current request of a connection, and the progress of its response.
struct Exchange {
    /// The request's number on its connection. It prevents a late response of a task from being sent for another
    /// request.
    var number: UInt64
    /// The head; nil if it could not be read.
    var head: RequestHead?
    var method: HTTPMethod
    private var uri: String
    var acceptsGzip: Bool
    var started: NIODeadline
    /// Whether the client is authenticated, or the server requires no token.
    var isKnown = false

    var status: HTTPResponseStatus?

    /// The path as sent, without the query. No other part of the target may be logged.
    var path: String { String(uri[..<(uri.utf8.firstIndex(of: UInt8(ascii: "?")) ?? uri.endIndex)]) }
    var isHTTP10: Bool { head?.isHTTP10 ?? false }
    var isHead: Bool { method == .HEAD }
    var origin: String? { head?.headers.first(name: "origin") }
    var host: String? { head?.headers.first(name: "host") }

    init(number: UInt64, head: RequestHead, now: NIODeadline) {
        self.number = number
        self.head = head
        method = head.method
        uri = head.uri
        acceptsGzip = AcceptEncoding.prefersGzip(head.headers)
        started = now
    }

    /// The exchange of an unreadable request.
    ///
    /// - Parameters:
    ///   - number: the request's number on its connection.
    ///   - line: its method and target, if they could be read.
    ///   - now: the current time.
    init(unreadable number: UInt64, line: (method: HTTPMethod, uri: String)?, now: NIODeadline) {
        self.number = number
        method = line?.method ?? .RAW(value: "-")
        uri = line?.uri ?? "-"
        acceptsGzip = false
        started = now
    }
}
