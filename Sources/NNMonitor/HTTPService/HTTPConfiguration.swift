package import NIOCore

/// The configuration of the HTTP server. Sizes are in bytes. A timeout runs from the named event and does not restart
/// with progress, unless stated otherwise.
package struct HTTPConfiguration: Sendable {
    /// The maximum size of a request body, compressed and decompressed. Over it: 413.
    package var maximumRequestSize = 2_000_000
    /// The maximum size of a batch (`application/x-ndjson`), compressed and decompressed. Over it: 413.
    package var maximumBatchSize = 67_108_864
    /// The maximum ratio of a body's decompressed to its compressed size, checked from 64 KiB of output. Over it: 413.
    package var maximumExpansionRatio = 1_000
    /// The maximum memory for the bodies of all requests whose handlers have not returned. `BodyBudget` divides it
    /// among the clients. Over it: 503.
    package var maximumBodyMemory = 268_435_456
    /// The maximum size of a form (`application/x-www-form-urlencoded`). Over it: 413.
    package var maximumFormSize = 16_384
    /// The maximum size of the request line and the header fields, together with trailers and chunk framing. Over it:
    /// 431.
    package var maximumHeaderBytes = 32_768
    /// The maximum number of header fields of a request. Over it: 431.
    package var maximumHeaderCount = 100
    /// The maximum length of the request target. Over it: 414.
    package var maximumTargetSize = 8_192
    /// From the start of the connection, or from the first byte of a later request, to the end of the head.
    package var headTimeout = TimeAmount.seconds(10)
    /// From the end of the head to the end of the body.
    package var bodyTimeout = TimeAmount.seconds(60)
    /// The interval in which an unfinished body must receive 4 096 bytes. A slower body may be evicted in favor of
    /// others, with 408.
    package var bodyStallTimeout = TimeAmount.seconds(5)
    /// From the end of a response to the first byte of the next request.
    package var idleTimeout = TimeAmount.seconds(75)
    /// How long a client may accept no byte of a response before the connection is closed. Progress restarts it.
    package var writeTimeout = TimeAmount.seconds(60)
    /// The minimum rate at which a client must accept a response, in bytes per second, averaged over `readRateWindow`
    /// of the time in which bytes wait for it; 0 means none. Below it the connection is closed.
    package var minimumReadRate = 1_024
    /// See `minimumReadRate`.
    package var readRateWindow = TimeAmount.seconds(60)
    /// How long the server reads and discards input after the last response of a connection, so that the client
    /// receives the response rather than a reset (RFC 9112 section 9.6).
    package var lingerTimeout = TimeAmount.seconds(10)
    /// How many bytes the server discards after the last response of a connection.
    package var lingerBytes = 64 * 1024 * 1024
    /// The maximum rest of a rejected body that is discarded to keep the connection open; a longer one closes it.
    package var drainBytes = 65_536
    /// The minimum size of a response body that is compressed if the client accepts gzip.
    package var compressionThreshold = 1_024
    /// The zlib level for responses, 1 to 9.
    package var compressionLevel = 4
    /// The other origins whose pages may read responses.
    package var cors = CORSPolicy.origins([])
    /// The only names, besides IP literals and `localhost`, that `Host` may contain; others get 421. Nil allows every
    /// name. Protects a server without tokens from DNS rebinding; see `OriginCheck`.
    package var allowedHosts: Set<String>?
    /// The `max-age` of `Strict-Transport-Security`, in seconds; nil sends no header. The header affects every port of
    /// the host, so there is no default.
    package var hstsMaxAge: Int?
    /// The value of the `Server` header; nil sends none.
    package var serverName: String?
    /// The executor of handlers; nil runs them on the connection's event loop or the global concurrent executor. Tests
    /// set it to control when handlers run.
    package var handlerExecutor: (any TaskExecutor)?

    /// Creates a configuration with the default values.
    package init() {}
}
