import Foundations
import NIOCore
import NIOHTTP1

/// What a connection remembers of the request that it is answering.
struct Exchange {
    /// Counts the requests of a connection, so that a late answer of a task can't be taken for another's.
    var number: UInt64
    var method: HTTPMethod
    /// The path as sent, without the query: all of the target that may be logged.
    var path: String
    var isHTTP10: Bool
    var origin: String?
    var host: String?
    var acceptsGzip: Bool
    var asksForUpgrade: Bool
    var head: HTTPRequestHead?
    var started: NIODeadline
    /// Whether the client has shown who it is, or the server asks for no token.
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

    /// An answer to something that was no request.
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
