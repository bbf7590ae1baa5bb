/// The authenticated client of a request, and its scopes.
package struct Identity: Sendable, Equatable {
    /// The credential, which is the key for looking the identity up again.
    package enum Source: Sendable, Hashable {
        /// The server requires no token.
        case open
        /// `Authorization: Bearer`; the SHA-256 of the token.
        case bearer(tokenDigest: [UInt8])
        /// The session cookie; the session's key. Browsers send the cookie by themselves, so the origin check applies.
        case cookie(sessionKey: [UInt8])
    }

    /// The token's name; `open` if the server requires no token.
    package var name: String
    /// The token's scopes.
    package var scopes: ScopeSet
    /// The credential that the request carried.
    package var source: Source

    /// Creates an identity.
    package init(name: String, scopes: ScopeSet, source: Source) {
        self.name = name
        self.scopes = scopes
        self.source = source
    }
}
