import Logging

/// What the server is told to do: every setting with its value, checked by itself and against the others.
struct Settings: Sendable {
    // Listening
    var host: String
    var port: Int
    /// 0 is one per core.
    var threads: Int
    var staticDir: String?
    var shutdownGrace: Duration
    var fileTimeout: Duration

    // Stored metrics
    var maxRuns: Int
    var maxStepsPerRun: Int
    /// Bytes; 0 is no limit, `nil` a share of the machine's memory (see `memoryLimit`).
    var maxMemory: Int?

    // Requests
    var maxRequestSize: Int
    var maxExpansionRatio: Int
    var maxBodyMemory: Int
    var maxHeaderSize: Int
    var maxHeaderCount: Int

    // Connections
    var maxConnections: Int
    var maxConnectionsPerAddress: Int
    var handshakeTimeout: Duration
    var headerTimeout: Duration
    var bodyTimeout: Duration
    var bodyStallTimeout: Duration
    var idleTimeout: Duration
    var writeTimeout: Duration

    // WebSocket
    var wsMaxMessageSize: Int
    var wsPingInterval: Duration
    var wsPongTimeout: Duration
    var maxSubscribers: Int
    var subscriberQueue: Int
    var subscriberQueueBytes: Int
    var subscriberStallTimeout: Duration

    // Security
    var auth: AuthenticationMode
    var authToken: SecretText?
    var authTokensFile: String?
    /// Failures a minute and address.
    var authFailureLimit: Int
    var maxSessionsPerToken: Int
    /// `["*"]` is any origin, `[]` none.
    var corsOrigins: [String]

    // TLS
    var tls: TLSMode
    var tlsCertFile: String?
    var tlsKeyFile: String?
    var tlsMinVersion: TLSMinimumVersion
    var tlsClientCAFile: String?
    var hstsMaxAge: Int?

    // Logs
    var logLevel: Logger.Level
    var logFormat: LogFormat
    var logBuffer: Int

    /// Bytes of stored metrics at most; 0 is no limit.
    var memoryLimit: Int { maxMemory ?? MachineMemory.defaultLimit }

    /// Whether the server speaks HTTPS.
    var usesTLS: Bool {
        switch tls {
        case .auto: tlsCertFile != nil && tlsKeyFile != nil
        case .off: false
        case .dev: true
        }
    }

    /// Reads every setting and checks that they go together.
    ///
    /// - Throws: ``SettingsError`` for the first value that is not allowed.
    init(from sources: SettingsSources) throws(SettingsError) {
        host = try sources.value(of: SettingsTable.host)
        port = try sources.value(of: SettingsTable.port)
        threads = try sources.value(of: SettingsTable.threads)
        staticDir = try sources.value(of: SettingsTable.staticDir)
        shutdownGrace = try sources.value(of: SettingsTable.shutdownGrace)
        fileTimeout = .seconds(try sources.value(of: SettingsTable.fileTimeout))

        maxRuns = try sources.value(of: SettingsTable.maxRuns)
        maxStepsPerRun = try sources.value(of: SettingsTable.maxStepsPerRun)
        maxMemory = try sources.value(of: SettingsTable.maxMemory)

        maxRequestSize = try sources.value(of: SettingsTable.maxRequestSize)
        maxExpansionRatio = try sources.value(of: SettingsTable.maxExpansionRatio)
        maxBodyMemory = try sources.value(of: SettingsTable.maxBodyMemory)
        maxHeaderSize = try sources.value(of: SettingsTable.maxHeaderSize)
        maxHeaderCount = try sources.value(of: SettingsTable.maxHeaderCount)

        maxConnections = try sources.value(of: SettingsTable.maxConnections)
        maxConnectionsPerAddress = try sources.value(of: SettingsTable.maxConnectionsPerAddress)
        handshakeTimeout = try sources.value(of: SettingsTable.handshakeTimeout)
        headerTimeout = try sources.value(of: SettingsTable.headerTimeout)
        bodyTimeout = try sources.value(of: SettingsTable.bodyTimeout)
        bodyStallTimeout = try sources.value(of: SettingsTable.bodyStallTimeout)
        idleTimeout = try sources.value(of: SettingsTable.idleTimeout)
        writeTimeout = try sources.value(of: SettingsTable.writeTimeout)

        wsMaxMessageSize = try sources.value(of: SettingsTable.wsMaxMessageSize)
        wsPingInterval = try sources.value(of: SettingsTable.wsPingInterval)
        wsPongTimeout = try sources.value(of: SettingsTable.wsPongTimeout)
        maxSubscribers = try sources.value(of: SettingsTable.maxSubscribers)
        subscriberQueue = try sources.value(of: SettingsTable.subscriberQueue)
        subscriberQueueBytes = try sources.value(of: SettingsTable.subscriberQueueBytes)
        subscriberStallTimeout = try sources.value(of: SettingsTable.subscriberStallTimeout)

        auth = try sources.value(of: SettingsTable.auth)
        authToken = try sources.value(of: SettingsTable.authToken)
        authTokensFile = try sources.value(of: SettingsTable.authTokensFile)
        authFailureLimit = try sources.value(of: SettingsTable.authFailureLimit)
        maxSessionsPerToken = try sources.value(of: SettingsTable.maxSessionsPerToken)
        corsOrigins = try sources.value(of: SettingsTable.corsOrigins)

        tls = try sources.value(of: SettingsTable.tls)
        tlsCertFile = try sources.value(of: SettingsTable.tlsCertFile)
        tlsKeyFile = try sources.value(of: SettingsTable.tlsKeyFile)
        tlsMinVersion = try sources.value(of: SettingsTable.tlsMinVersion)
        tlsClientCAFile = try sources.value(of: SettingsTable.tlsClientCAFile)
        hstsMaxAge = try sources.value(of: SettingsTable.hstsMaxAge)

        logLevel = try sources.value(of: SettingsTable.logLevel)
        logFormat = try sources.value(of: SettingsTable.logFormat)
        logBuffer = try sources.value(of: SettingsTable.logBuffer)

        try checkConsistency(sources)
    }
}
