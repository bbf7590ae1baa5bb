import Foundations
import NIOCore
import NIOHTTP1

/// The current request of a connection, and the progress of its response.
struct Exchange {
    /// The request's number on its connection. It prevents a late response of a task from being sent for another
    /// request.
    var number: UInt64
    var method: HTTPMethod
    /// The path as sent, without the query. No other part of the target may be logged.
    var path: String
    var isHTTP10: Bool
    var origin: String?
    var host: String?
    var acceptsGzip: Bool
    var asksForUpgrade: Bool
    var head: HTTPRequestHead?
    var started: NIODeadline
    /// Whether the client is authenticated, or the server requires no token.
    var isKnown = false

    var status: HTTPResponseStatus?
    var bytesOut = 0

    var isHead: Bool { self.method == .HEAD }

    init(number: UInt64, head: HTTPRequestHead, now: NIODeadline) {
        self.number = number
        self.method = head.method
        self.path = String(head.uri[..<(head.uri.utf8.firstIndex(of: UInt8(ascii: "?")) ?? head.uri.endIndex)])
        self.isHTTP10 = head.isHTTP10
        self.origin = head.headers.first(name: "origin")
        self.host = head.headers.first(name: "host")?.trimmed
        self.acceptsGzip = AcceptEncoding.takesGzip(head.headers)
        self.asksForUpgrade = head.asksForUpgrade
        self.head = head
        self.started = now
    }

    /// The exchange of an unreadable request.
    init(unreadable number: UInt64, now: NIODeadline) {
        self.number = number
        self.method = .RAW(value: "-")
        self.path = "-"
        self.isHTTP10 = false
        self.acceptsGzip = false
        self.asksForUpgrade = false
        self.started = now
    }
}
