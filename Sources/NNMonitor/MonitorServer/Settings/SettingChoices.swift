/// How a client is asked who it is.
enum AuthenticationMode: String, Sendable, CaseIterable {
    /// Open on loopback without tokens; tokens otherwise, made at start when none is configured.
    case auto
    /// No client is asked for a token.
    case off
}

/// Where TLS comes from.
enum TLSMode: String, Sendable, CaseIterable {
    /// On when certificate and key are configured.
    case auto
    /// Plain HTTP, whatever files are configured.
    case off
    /// On, with a certificate of our own making.
    case dev
}

/// The oldest TLS that a client may speak.
enum TLSMinimumVersion: String, Sendable, CaseIterable {
    case v1_2 = "1.2"
    case v1_3 = "1.3"
}

/// How a log entry is written.
enum LogFormat: String, Sendable, CaseIterable {
    case text
    case json
}
