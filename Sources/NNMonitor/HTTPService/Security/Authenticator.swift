package import NIOCore
package import NIOHTTP1
import Foundations

/// Checks tokens and browser sessions, and limits wrong tokens. Thread-safe.
package final class Authenticator: Sendable {
    /// The longest token that is hashed, in bytes. `NNMonitor token` creates tokens of 43 bytes.
    static let maximumTokenLength = 4_096

    private let digest: @Sendable ([UInt8]) -> [UInt8]
    private let clock: @Sendable () -> NIODeadline
    private let sessionLifetime: TimeAmount
    private let table: Locked<TokenTable>
    private let sessions: Locked<SessionStore>
    private let limiter: Locked<FailureLimiter>
    private let observers = Locked(GrantObservers())

    /// Creates an authenticator.
    ///
    /// - Parameters:
    ///   - table: the initial tokens.
    ///   - failureLimit: wrong tokens per minute and address that get 401; further ones get 429. 0 disables the limit.
    ///   - sessionLimit: the maximum number of sessions.
    ///   - sessionLimitPerToken: the maximum number of sessions per token; a new session evicts the oldest.
    ///   - sessionLifetime: the absolute lifetime of a session. Use does not extend it.
    ///   - digest: SHA-256.
    ///   - clock: the monotonic time.
    package init(
        table: TokenTable, failureLimit: Int = 20, sessionLimit: Int = 4_096, sessionLimitPerToken: Int = 256,
        sessionLifetime: TimeAmount = .hours(12), digest: @escaping @Sendable ([UInt8]) -> [UInt8],
        clock: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.digest = digest
        self.clock = clock
        self.sessionLifetime = sessionLifetime
        self.table = Locked(table)
        self.sessions = Locked(
            SessionStore(
                capacity: sessionLimit, limitPerToken: sessionLimitPerToken, lifetime: sessionLifetime))
        self.limiter = Locked(FailureLimiter(limit: failureLimit))
    }

    /// Replaces the table, at a reload. Sessions and grants end before this method returns if the new table lacks their
    /// token or the token lacks their scope.
    package func replace(with table: TokenTable) {
        self.table.withLock { $0 = table }
        self.sessions.withLock { $0.removeAll(notIn: table) }
        self.endGrants(of: self.observers.withLock { $0.sources })
    }

    /// Whether the server requires no token.
    package var isOpen: Bool { self.table.withLock { $0.isOpen } }

    /// The result of checking a request's credentials.
    enum Outcome: Equatable {
        case known(Identity)
        /// The request has neither a token nor a valid session.
        case absent
        /// The token is invalid; the failure was counted.
        case wrong
        /// The token is invalid and its address is over the failure limit; the time to wait, in seconds.
        case limited(seconds: Int)
    }

    /// Checks `Authorization`, then the session cookies.
    ///
    /// - Parameters:
    ///   - headers: the request's headers.
    ///   - peer: the client's address.
    ///   - port: the local port of the connection, which is part of the cookie's name.
    /// - Returns: the identity, or why there is none.
    func identify(_ headers: HTTPHeaders, peer: String, port: Int) -> Outcome {
        if self.isOpen { return .known(Self.openIdentity) }
        if let token = Self.bearerToken(headers) {
            switch self.check(token, peer: peer) {
            case .valid(let entry):
                return .known(
                    Identity(name: entry.name, scopes: entry.scopes, source: .bearer(tokenDigest: entry.digest)))
            case .wrong: return .wrong
            case .limited(let seconds): return .limited(seconds: seconds)
            }
        }
        // Invalid cookies are not counted as failures: a session id has 256 random bits, and after a restart browsers
        // send cookies of sessions that no longer exist.
        for id in SessionCookie.ids(in: headers, port: port) {
            if let identity = self.identity(of: .cookie(sessionKey: self.digest(Array(id.utf8)))) {
                return .known(identity)
            }
        }
        return .absent
    }

    /// Looks up the current identity of a source; nil if its token or session has ended. The scopes are the token's
    /// current ones.
    func identity(of source: Identity.Source) -> Identity? {
        let table = self.table.withLock { $0 }
        if table.isOpen { return Self.openIdentity }
        var entry: TokenTable.Entry?
        switch source {
        case .open: break
        case .bearer(let digest):
            entry = table.entries.first { $0.digest == digest }
        case .cookie(let key):
            let now = self.clock()
            guard let session = self.sessions.withLock({ $0.session(key, now: now) }) else { return nil }
            entry = table.entries.first { $0.name == session.tokenName && $0.digest == session.tokenDigest }
        }
        return entry.map { Identity(name: $0.name, scopes: $0.scopes, source: source) }
    }

    private static let openIdentity = Identity(name: "open", scopes: .all, source: .open)

    // MARK: Tokens

    /// The result of checking one token.
    package enum TokenCheck: Equatable {
        /// The token is in the table.
        case valid(TokenTable.Entry)
        /// The token is invalid; the failure was counted.
        case wrong
        /// The token is invalid and its address is over the failure limit; the time to wait, in seconds.
        case limited(seconds: Int)
    }

    /// Checks a token. The failure limit never rejects a valid token; it only changes the response to wrong ones (see
    /// `FailureLimiter`). A wrong token costs at most one hash of `maximumTokenLength` bytes.
    package func check(_ token: String, peer: String) -> TokenCheck {
        if token.utf8.count <= Self.maximumTokenLength {
            let digest = self.digest(Array(token.utf8))
            if let entry = self.table.withLock({ $0 }).entry(matching: digest) { return .valid(entry) }
        }
        let now = self.clock()
        let wait = self.limiter.withLock { limiter in
            let wait = limiter.waitingTime(for: peer, now: now)
            if wait == nil { limiter.recordFailure(of: peer, now: now) }
            return wait
        }
        return wait.map { .limited(seconds: Int(($0.nanoseconds + 999_999_999) / 1_000_000_000)) } ?? .wrong
    }

    var limitedAddressCount: Int { self.limiter.withLock { $0.count } }

    // MARK: Sessions

    /// Begins a session.
    ///
    /// - Returns: the value of the `Set-Cookie` header.
    package func beginSession(for entry: TokenTable.Entry, port: Int, secure: Bool) -> String {
        var generator = SystemRandomNumberGenerator()
        var id = ""
        for _ in 0..<4 {
            let digits = String(generator.next() as UInt64, radix: 16)
            id += String(repeating: "0", count: 16 - digits.count) + digits
        }
        let key = self.digest(Array(id.utf8))
        let now = self.clock()
        self.endGrants(of: self.sessions.withLock { $0.add(key, for: entry, now: now) }.map { .cookie(sessionKey: $0) })
        return SessionCookie.beginning(
            id, port: port, secure: secure, seconds: self.sessionLifetime.nanoseconds / 1_000_000_000)
    }

    /// Ends every session whose cookie the request carries.
    ///
    /// - Returns: the value of the `Set-Cookie` header that removes the cookie.
    package func endSession(_ headers: HTTPHeaders, port: Int, secure: Bool) -> String {
        for id in SessionCookie.ids(in: headers, port: port) {
            let key = self.digest(Array(id.utf8))
            self.sessions.withLock { $0.remove(key) }
            self.endGrants(of: [.cookie(sessionKey: key)])
        }
        return SessionCookie.removal(port: port, secure: secure)
    }

    var sessionCount: Int { self.sessions.withLock { $0.count } }

    // MARK: Grants

    func observe(_ grant: AccessGrant, onEnd: @escaping @Sendable () -> Void) -> UInt64 {
        let number = self.observers.withLock { $0.add(grant.source, grant.scope, onEnd) }
        // If the grant ended before the observer was added, no other call reports it.
        self.endGrants(of: [grant.source])
        return number
    }

    func cancelObservation(_ number: UInt64, of grant: AccessGrant) {
        self.observers.withLock { $0.remove(number, of: grant.source, grant.scope) }
    }

    var observedGrantCount: Int { self.observers.withLock { $0.count } }

    func timeLeft(of source: Identity.Source) -> TimeAmount? {
        guard case .cookie(let key) = source, !self.isOpen else { return nil }
        let now = self.clock()
        return self.sessions.withLock { $0.session(key, now: now) }.map { $0.expires - now } ?? .zero
    }

    /// Removes and calls the observers of the grants of `sources` that are no longer valid.
    private func endGrants(of sources: [Identity.Source]) {
        for source in sources {
            let scopes = self.identity(of: source)?.scopes ?? []
            let ended = self.observers.withLock { $0.removeObservers(of: source, lacking: scopes) }
            for onEnd in ended { onEnd() }
        }
    }

    private static func bearerToken(_ headers: HTTPHeaders) -> String? {
        guard let value = headers.first(name: "authorization") else { return nil }
        let scheme = "bearer "
        // The name of the scheme is case-insensitive (RFC 9110 section 11.1).
        guard value.utf8.prefix(scheme.utf8.count).elementsEqual(scheme.utf8, by: { $0 | 0x20 == $1 }) else {
            return nil
        }
        let token = Substring(value.utf8.dropFirst(scheme.utf8.count)).trimmed
        return token.isEmpty ? nil : token
    }
}
