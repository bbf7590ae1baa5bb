import Logging

/// Every setting, each defined once: name, kind of value, default, purpose.
enum SettingsTable {
    // MARK: Listening

    static let host = Setting(
        "HOST", .host, default: "127.0.0.1",
        "Address to listen on; 0.0.0.0 or :: for every interface.")
    static let port = Setting(
        "PORT", .wholeNumber(0...65_535, note: "0 takes a free one"), default: "8000",
        "Port to listen on.")
    static let threads = Setting(
        "THREADS", .wholeNumber(0...1024, note: "0 is one per core"), default: "0",
        "Threads that move bytes between sockets and the server.")
    static let staticDir = Setting(
        "STATIC_DIR", .path("a folder"), default: nil,
        "Folder of the dashboard's files; found beside the executable or in the working directory when not given.")
    static let shutdownGrace = Setting(
        "SHUTDOWN_GRACE", .seconds, default: "10",
        "Time that requests and connections get to finish after SIGTERM or SIGINT.")
    static let fileTimeout = Setting(
        "FILE_TIMEOUT", .wholeNumber(1...3_600), default: "5",
        "Seconds for reading the files that settings name, at start and on SIGHUP.")

    // MARK: Stored metrics

    static let maxRuns = Setting(
        "MAX_RUNS", .wholeNumber(1...100_000), default: "1000",
        "Runs kept; over it the run that was updated longest ago is evicted.")
    static let maxStepsPerRun = Setting(
        "MAX_STEPS_PER_RUN", .wholeNumber(10...1_000_000), default: "1000",
        "Steps kept of one run; over it the highest stay.")
    static let maxMemory = Setting(
        "MAX_MEMORY", .memory, default: "auto",
        "Bytes of stored metrics; over it the run that was updated longest ago is evicted.")

    // MARK: Requests

    static let maxRequestSize = Setting(
        "MAX_REQUEST_SIZE", .wholeNumber(100_000...1_073_741_824), default: "2000000",
        "Bytes of a request's body, on the wire and after inflating.")
    static let maxExpansionRatio = Setting(
        "MAX_EXPANSION_RATIO", .wholeNumber(1...100_000), default: "1000",
        "Times that compressed data may grow when inflated.")
    static let maxBodyMemory = Setting(
        "MAX_BODY_MEMORY",
        .wholeNumber(0...Int.max, note: "0 is 268435456, or four times MAX_REQUEST_SIZE if that is more"), default: "0",
        "Bytes of bodies under way at once, of all clients together; over it a request is answered 503.")
    static let maxHeaderSize = Setting(
        "MAX_HEADER_SIZE", .wholeNumber(1024...1_048_576), default: "32768",
        "Bytes of a request's line and header fields.")
    static let maxHeaderCount = Setting(
        "MAX_HEADER_COUNT", .wholeNumber(10...10_000), default: "100",
        "Header fields of a request.")

    // MARK: Connections

    static let maxConnections = Setting(
        "MAX_CONNECTIONS", .wholeNumber(1...1_000_000), default: "16384",
        "Connections open at once.")
    static let maxConnectionsPerAddress = Setting(
        "MAX_CONNECTIONS_PER_ADDRESS", .wholeNumber(1...1_000_000), default: "1024",
        "Connections open at once from one client address.")
    static let handshakeTimeout = Setting(
        "HANDSHAKE_TIMEOUT", .seconds, default: "10",
        "Time for a TLS handshake, from the first byte of the connection.")
    static let headerTimeout = Setting(
        "HEADER_TIMEOUT", .seconds, default: "10",
        "Time for a request's line and header fields to arrive, in all.")
    static let bodyTimeout = Setting(
        "BODY_TIMEOUT", .seconds, default: "60",
        "Time for a request's body to arrive, in all.")
    static let bodyStallTimeout = Setting(
        "BODY_STALL_TIMEOUT", .seconds, default: "5",
        "Time in which an unfinished body must bring 4096 bytes to keep its place when others need room.")
    static let idleTimeout = Setting(
        "IDLE_TIMEOUT", .seconds, default: "75",
        "Time that a connection may stay open between requests.")
    static let writeTimeout = Setting(
        "WRITE_TIMEOUT", .seconds, default: "60",
        "Time that a client may take none of a response.")

    // MARK: WebSocket

    static let wsMaxMessageSize = Setting(
        "WS_MAX_MESSAGE_SIZE", .wholeNumber(1024...67_108_864), default: "65536",
        "Bytes of a message that a client sends, after inflating.")
    static let wsPingInterval = Setting(
        "WS_PING_INTERVAL", .seconds, default: "20",
        "Time between the pings that keep a connection alive.")
    static let wsPongTimeout = Setting(
        "WS_PONG_TIMEOUT", .seconds, default: "20",
        "Time that a client may leave a ping unanswered before it is dropped.")
    static let maxSubscribers = Setting(
        "MAX_SUBSCRIBERS", .wholeNumber(1...1_000_000), default: "10000",
        "WebSocket subscribers at once.")
    static let subscriberQueue = Setting(
        "SUBSCRIBER_QUEUE", .wholeNumber(1...1_000_000), default: "256",
        "Messages that wait for a slow subscriber before steps are skipped for it.")
    static let subscriberQueueBytes = Setting(
        "SUBSCRIBER_QUEUE_BYTES", .wholeNumber(65_536...1_073_741_824), default: "16777216",
        "Bytes that wait for a slow subscriber before steps are skipped for it.")
    static let subscriberStallTimeout = Setting(
        "SUBSCRIBER_STALL_TIMEOUT", .seconds, default: "30",
        "Time that a subscriber may take nothing before it is closed.")

    // MARK: Security

    static let auth = Setting<AuthenticationMode>(
        "AUTH", .oneOf, default: "auto",
        "Whether clients need a token: auto is yes, save on loopback with no token configured.")
    static let authToken = Setting(
        "AUTH_TOKEN", .token, default: nil, secret: true,
        "One token with every scope.")
    static let authTokensFile = Setting(
        "AUTH_TOKENS_FILE", .path("a file with lines name:scopes:sha256-of-token"), default: nil,
        "Tokens with their scopes, as 'NNMonitor token' makes them.")
    static let authFailureLimit = Setting(
        "AUTH_FAILURE_LIMIT", .wholeNumber(1...1_000_000), default: "20",
        "Wrong tokens a minute from one address that are answered 401; further wrong ones get 429.")
    static let maxSessionsPerToken = Setting(
        "MAX_SESSIONS_PER_TOKEN", .wholeNumber(1...4096), default: "256",
        "Browser sessions of one token; over it the token's oldest session ends.")
    static let corsOrigins = Setting(
        "CORS_ORIGINS", .origins, default: "[]",
        "Origins, besides the server's own, whose pages may call the server from a browser.")

    // MARK: TLS

    static let tls = Setting<TLSMode>(
        "TLS", .oneOf, default: "auto",
        "Whether to speak HTTPS: auto is yes when certificate and key are given; dev makes its own certificate.")
    static let tlsCertFile = Setting(
        "TLS_CERT_FILE", .path("a PEM file, together with TLS_KEY_FILE"), default: nil,
        "Certificate, followed by the chain that leads to its root.")
    static let tlsKeyFile = Setting(
        "TLS_KEY_FILE", .path("a PEM file, together with TLS_CERT_FILE"), default: nil,
        "Private key of the certificate.")
    static let tlsMinVersion = Setting<TLSMinimumVersion>(
        "TLS_MIN_VERSION", .oneOf, default: "1.2",
        "Oldest version of TLS that a client may speak.")
    static let tlsClientCAFile = Setting(
        "TLS_CLIENT_CA_FILE", .path("a PEM file; needs TLS"), default: nil,
        "Authorities from which a client must present a certificate.")
    static let hstsMaxAge = Setting(
        "HSTS_MAX_AGE", .optionalWholeNumber(0...63_072_000, note: "0 has browsers forget it"), default: nil,
        "Seconds for which browsers are to use HTTPS alone for the whole host; when not given, 31536000 on port 443.")

    // MARK: Logs

    static let logLevel = Setting<Logger.Level>(
        "LOG_LEVEL", .oneOf, default: "info",
        "Least severe entries that are logged.")
    static let logFormat = Setting<LogFormat>(
        "LOG_FORMAT", .oneOf, default: "text",
        "How a log entry is written: a line to read, or a JSON object a line.")
    static let logBuffer = Setting(
        "LOG_BUFFER", .wholeNumber(65_536...1_073_741_824), default: "1048576",
        "Bytes of log lines that wait when nobody takes them; over it lines are lost, and counted.")

    /// All of them, in the order of the help and of CONFIGURATION.md.
    static let all: [SettingFacts] = [
        host.facts, port.facts, threads.facts, staticDir.facts, shutdownGrace.facts, fileTimeout.facts,
        maxRuns.facts, maxStepsPerRun.facts, maxMemory.facts,
        maxRequestSize.facts, maxExpansionRatio.facts, maxBodyMemory.facts, maxHeaderSize.facts,
        maxHeaderCount.facts,
        maxConnections.facts, maxConnectionsPerAddress.facts, handshakeTimeout.facts, headerTimeout.facts,
        bodyTimeout.facts, bodyStallTimeout.facts, idleTimeout.facts, writeTimeout.facts,
        wsMaxMessageSize.facts, wsPingInterval.facts, wsPongTimeout.facts, maxSubscribers.facts,
        subscriberQueue.facts, subscriberQueueBytes.facts, subscriberStallTimeout.facts,
        auth.facts, authToken.facts, authTokensFile.facts, authFailureLimit.facts,
        maxSessionsPerToken.facts, corsOrigins.facts,
        tls.facts, tlsCertFile.facts, tlsKeyFile.facts, tlsMinVersion.facts, tlsClientCAFile.facts,
        hstsMaxAge.facts,
        logLevel.facts, logFormat.facts, logBuffer.facts,
    ]
}
