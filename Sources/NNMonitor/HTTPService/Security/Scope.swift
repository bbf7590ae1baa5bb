/// What a token allows.
package enum Scope: String, Sendable, CaseIterable {
    /// Posting metrics.
    case ingest
    /// Reading the API, the WebSocket and the dashboard.
    case read
    /// Deleting runs.
    case admin
}

/// Who asks, and what they may do.
package struct Identity: Sendable, Equatable {
    /// How the identity was shown, and what it is looked up by again.
    package enum Source: Sendable, Hashable {
        /// The server asks for no token.
        case open
        /// `Authorization: Bearer`, by the token's SHA-256.
        case bearer(tokenDigest: [UInt8])
        /// The session cookie, which a browser sends by itself: subject to the origin check. By the session's key.
        case cookie(sessionKey: [UInt8])
    }

    package var name: String
    package var scopes: Set<Scope>
    package var source: Source

    package init(name: String, scopes: Set<Scope>, source: Source) {
        self.name = name
        self.scopes = scopes
        self.source = source
    }
}
