package import NIOCore

/// Every limit of the HTTP server. All sizes are bytes; all deadlines are absolute, counted from the event they name.
package struct HTTPConfiguration: Sendable {
    /// The longest request body, on the wire and again after inflating. Over it: 413.
    package var maximumRequestSize = 2_000_000
    /// How many times larger than its compressed form a body may become, looked at from 64 KiB on. Over it: 413.
    package var maximumExpansionRatio = 1_000
    /// Bytes of all bodies under way, until their requests have been handled. `BodyBudget` divides them among the
    /// clients. Over it: 503.
    package var maximumBodyMemory = 268_435_456
    /// The longest form (`application/x-www-form-urlencoded`), which only the login uses.
    package var maximumFormSize = 16_384
    /// Request line, header names and header values together. Over it: 431.
    package var maximumHeaderBytes = 32_768
    /// Header fields in one request. Over it: 431.
    package var maximumHeaderCount = 100
    /// The longest request target. Over it: 414.
    package var maximumTargetSize = 8_192
    /// From the start of the connection, or the first byte of a later request, to the end of the head.
    package var headTimeout = TimeAmount.seconds(10)
    /// From the end of the head to the end of the body.
    package var bodyTimeout = TimeAmount.seconds(60)
    /// An unfinished body that brings fewer than 4 096 bytes in this time may lose its place to others, with 408.
    package var bodyStallTimeout = TimeAmount.seconds(5)
    /// From the end of an answer to the first byte of the next request.
    package var idleTimeout = TimeAmount.seconds(75)
    /// How long a client may take no byte of an answer before it is dropped.
    package var writeTimeout = TimeAmount.seconds(60)
    /// After the last answer of a connection: how long, and for how many bytes, what the client still sends is read
    /// and thrown away, so that it sees the answer and not a reset (RFC 9112 §9.6).
    package var lingerTimeout = TimeAmount.seconds(10)
    package var lingerBytes = 64 * 1024 * 1024
    /// The rest of a refused body up to this length is thrown away and the connection kept; over it, it is closed.
    package var drainBytes = 65_536
    /// Bodies at least this long are compressed when the client accepts it.
    package var compressionThreshold = 1_024
    /// zlib's level for answers, 1 to 9.
    package var compressionLevel = 4
    /// Who may read answers from other origins.
    package var cors = CORSPolicy.origins([])
    /// When set: the only names (besides IP literals and `localhost`) that a `Host` header may carry; others get 421.
    /// It is the defence against DNS rebinding for a server that asks for no token; see `OriginCheck`.
    package var allowedHosts: Set<String>?
    /// Seconds for which browsers are to use HTTPS alone for this host (`Strict-Transport-Security`); nil sends no header.
    /// It holds for every port of the host, so it is not this server's to decide.
    package var hstsMaxAge: Int?
    /// The value of the `Server` header; nil sends none.
    package var serverName: String?
    /// Where handlers run; nil is Swift's shared threads. A test that gives its own decides when they run.
    package var handlerExecutor: (any TaskExecutor)?

    package init() {}
}
