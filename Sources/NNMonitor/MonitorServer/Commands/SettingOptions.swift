import ArgumentParser

/// A theme of options, each the text of one setting.
protocol SettingOptions: ParsableArguments {
    /// The options of this theme with what was given for each.
    var texts: [(SettingFacts, String?)] { get }
}

/// Where the server listens, and how it stops.
struct ListeningOptions: SettingOptions {
    @Option(SettingsTable.host.facts) var host: String?
    @Option(SettingsTable.port.facts) var port: String?
    @Option(SettingsTable.threads.facts) var threads: String?
    @Option(SettingsTable.staticDir.facts) var staticDir: String?
    @Option(SettingsTable.shutdownGrace.facts) var shutdownGrace: String?
    @Option(SettingsTable.fileTimeout.facts) var fileTimeout: String?

    var texts: [(SettingFacts, String?)] {
        [
            (SettingsTable.host.facts, host),
            (SettingsTable.port.facts, port),
            (SettingsTable.threads.facts, threads),
            (SettingsTable.staticDir.facts, staticDir),
            (SettingsTable.shutdownGrace.facts, shutdownGrace),
            (SettingsTable.fileTimeout.facts, fileTimeout),
        ]
    }
}

/// How much is kept.
struct StorageOptions: SettingOptions {
    @Option(SettingsTable.maxRuns.facts) var maxRuns: String?
    @Option(SettingsTable.maxStepsPerRun.facts) var maxStepsPerRun: String?
    @Option(SettingsTable.maxMemory.facts) var maxMemory: String?

    var texts: [(SettingFacts, String?)] {
        [
            (SettingsTable.maxRuns.facts, maxRuns),
            (SettingsTable.maxStepsPerRun.facts, maxStepsPerRun),
            (SettingsTable.maxMemory.facts, maxMemory),
        ]
    }
}

/// How large a request may be.
struct RequestOptions: SettingOptions {
    @Option(SettingsTable.maxRequestSize.facts) var maxRequestSize: String?
    @Option(SettingsTable.maxExpansionRatio.facts) var maxExpansionRatio: String?
    @Option(SettingsTable.maxBodyMemory.facts) var maxBodyMemory: String?
    @Option(SettingsTable.maxHeaderSize.facts) var maxHeaderSize: String?
    @Option(SettingsTable.maxHeaderCount.facts) var maxHeaderCount: String?

    var texts: [(SettingFacts, String?)] {
        [
            (SettingsTable.maxRequestSize.facts, maxRequestSize),
            (SettingsTable.maxExpansionRatio.facts, maxExpansionRatio),
            (SettingsTable.maxBodyMemory.facts, maxBodyMemory),
            (SettingsTable.maxHeaderSize.facts, maxHeaderSize),
            (SettingsTable.maxHeaderCount.facts, maxHeaderCount),
        ]
    }
}

/// How many connections there may be, and for how long.
struct ConnectionOptions: SettingOptions {
    @Option(SettingsTable.maxConnections.facts) var maxConnections: String?
    @Option(SettingsTable.maxConnectionsPerAddress.facts) var maxConnectionsPerAddress: String?
    @Option(SettingsTable.handshakeTimeout.facts) var handshakeTimeout: String?
    @Option(SettingsTable.headerTimeout.facts) var headerTimeout: String?
    @Option(SettingsTable.bodyTimeout.facts) var bodyTimeout: String?
    @Option(SettingsTable.bodyStallTimeout.facts) var bodyStallTimeout: String?
    @Option(SettingsTable.idleTimeout.facts) var idleTimeout: String?
    @Option(SettingsTable.writeTimeout.facts) var writeTimeout: String?

    var texts: [(SettingFacts, String?)] {
        [
            (SettingsTable.maxConnections.facts, maxConnections),
            (SettingsTable.maxConnectionsPerAddress.facts, maxConnectionsPerAddress),
            (SettingsTable.handshakeTimeout.facts, handshakeTimeout),
            (SettingsTable.headerTimeout.facts, headerTimeout),
            (SettingsTable.bodyTimeout.facts, bodyTimeout),
            (SettingsTable.bodyStallTimeout.facts, bodyStallTimeout),
            (SettingsTable.idleTimeout.facts, idleTimeout),
            (SettingsTable.writeTimeout.facts, writeTimeout),
        ]
    }
}

/// Limits of subscribers.
struct WebSocketOptions: SettingOptions {
    @Option(SettingsTable.wsMaxMessageSize.facts) var wsMaxMessageSize: String?
    @Option(SettingsTable.wsPingInterval.facts) var wsPingInterval: String?
    @Option(SettingsTable.wsPongTimeout.facts) var wsPongTimeout: String?
    @Option(SettingsTable.maxSubscribers.facts) var maxSubscribers: String?
    @Option(SettingsTable.subscriberQueue.facts) var subscriberQueue: String?
    @Option(SettingsTable.subscriberQueueBytes.facts) var subscriberQueueBytes: String?
    @Option(SettingsTable.subscriberStallTimeout.facts) var subscriberStallTimeout: String?

    var texts: [(SettingFacts, String?)] {
        [
            (SettingsTable.wsMaxMessageSize.facts, wsMaxMessageSize),
            (SettingsTable.wsPingInterval.facts, wsPingInterval),
            (SettingsTable.wsPongTimeout.facts, wsPongTimeout),
            (SettingsTable.maxSubscribers.facts, maxSubscribers),
            (SettingsTable.subscriberQueue.facts, subscriberQueue),
            (SettingsTable.subscriberQueueBytes.facts, subscriberQueueBytes),
            (SettingsTable.subscriberStallTimeout.facts, subscriberStallTimeout),
        ]
    }
}

/// Who may do what.
struct SecurityOptions: SettingOptions {
    @Option(SettingsTable.auth.facts) var auth: String?
    @Option(SettingsTable.authToken.facts) var authToken: String?
    @Option(SettingsTable.authTokensFile.facts) var authTokensFile: String?
    @Option(SettingsTable.authFailureLimit.facts) var authFailureLimit: String?
    @Option(SettingsTable.maxSessionsPerToken.facts) var maxSessionsPerToken: String?
    @Option(SettingsTable.corsOrigins.facts) var corsOrigins: String?

    var texts: [(SettingFacts, String?)] {
        [
            (SettingsTable.auth.facts, auth),
            (SettingsTable.authToken.facts, authToken),
            (SettingsTable.authTokensFile.facts, authTokensFile),
            (SettingsTable.authFailureLimit.facts, authFailureLimit),
            (SettingsTable.maxSessionsPerToken.facts, maxSessionsPerToken),
            (SettingsTable.corsOrigins.facts, corsOrigins),
        ]
    }
}

/// How connections are protected.
struct TLSOptions: SettingOptions {
    @Option(SettingsTable.tls.facts) var tls: String?
    @Option(SettingsTable.tlsCertFile.facts) var tlsCertFile: String?
    @Option(SettingsTable.tlsKeyFile.facts) var tlsKeyFile: String?
    @Option(SettingsTable.tlsMinVersion.facts) var tlsMinVersion: String?
    @Option(SettingsTable.tlsClientCAFile.facts) var tlsClientCAFile: String?
    @Option(SettingsTable.hstsMaxAge.facts) var hstsMaxAge: String?

    var texts: [(SettingFacts, String?)] {
        [
            (SettingsTable.tls.facts, tls),
            (SettingsTable.tlsCertFile.facts, tlsCertFile),
            (SettingsTable.tlsKeyFile.facts, tlsKeyFile),
            (SettingsTable.tlsMinVersion.facts, tlsMinVersion),
            (SettingsTable.tlsClientCAFile.facts, tlsClientCAFile),
            (SettingsTable.hstsMaxAge.facts, hstsMaxAge),
        ]
    }
}

/// What is logged, and how.
struct LogOptions: SettingOptions {
    @Option(SettingsTable.logLevel.facts) var logLevel: String?
    @Option(SettingsTable.logFormat.facts) var logFormat: String?
    @Option(SettingsTable.logBuffer.facts) var logBuffer: String?

    var texts: [(SettingFacts, String?)] {
        [
            (SettingsTable.logLevel.facts, logLevel),
            (SettingsTable.logFormat.facts, logFormat),
            (SettingsTable.logBuffer.facts, logBuffer),
        ]
    }
}
