package import NIOCore
import NIOHTTP1
import Foundations

/// Knows who may do what: tokens, browser sessions, and the brake on guessing. Safe to share between threads.
package final class Authenticator: Sendable {
    /// The longest token that is hashed, in bytes. `NNMonitor token` makes tokens of 43.
    static let maximumTokenLength = 4_096

    private let digest: @Sendable ([UInt8]) -> [UInt8]
    private let clock: @Sendable () -> NIODeadline
    private let sessionLifetime: TimeAmount
    private let table: Guarded<TokenTable>
    private let sessions: Guarded<SessionStore>
    private let limiter: Guarded<FailureLimiter>
    private let observers = Guarded(GrantObservers())

    /// - Parameters:
    ///   - table: The tokens to begin with.
    ///   - failureLimit: Wrong tokens a minute and address that get 401; more get 429. 0 turns the brake off.
    ///   - sessionLimit: Sessions held at once, of all tokens.
    ///   - sessionLimitPerToken: Sessions held at once of one token; a new one ends the oldest.
    ///   - sessionLifetime: How long a session lives, whether used or not.
    ///   - digest: SHA-256.
    ///   - clock: The time, monotonic.
    package init(
        table: TokenTable, failureLimit: Int = 20, sessionLimit: Int = 4_096, sessionLimitPerToken: Int = 256,
        sessionLifetime: TimeAmount = .hours(12), digest: @escaping @Sendable ([UInt8]) -> [UInt8],
        clock: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.digest = digest
        self.clock = clock
        self.sessionLifetime = sessionLifetime
        self.table = Guarded(table)
        self.sessions = Guarded(
            SessionStore(
                capacity: sessionLimit, limitPerToken: sessionLimitPerToken, lifetime: sessionLifetime))
        self.limiter = Guarded(FailureLimiter(limit: failureLimit))
    }

    /// Puts another table in place, at reload. Sessions and grants whose token it lacks, or whose scope the token lacks
    /// now, end before this returns.
    package func replace(with table: TokenTable) {
        self.table.withLock { $0 = table }
        self.sessions.withLock { $0.removeAll(notIn: table) }
        self.endGrants(of: self.observers.withLock { $0.sources })
    }

    /// Whether the server asks for no token.
    package var isOpen: Bool { self.table.withLock { $0.isOpen } }

    /// What a request's credentials are worth.
    enum Outcome: Equatable {
        case known(Identity)
        /// No token and no live session was shown.
        case absent
        /// A token was shown that is not valid; the failure has been counted.
        case wrong
        /// Too many failures from this address; seconds to wait.
        case limited(seconds: Int)
    }

    /// Looks at `Authorization`, then at the session cookie.
    /// - Parameters:
    ///   - headers: The request's.
    ///   - peer: The client's address.
    ///   - port: The port that the request came to, which the cookie's name carries.
    /// - Returns: What they are worth.
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
        // A cookie is not slowed and its failures don't count: nobody guesses 256 bits, and a browser that comes back
        // after a restart of the server with a dead cookie has done nothing wrong.
        for id in SessionCookie.ids(in: headers, port: port) {
            if let identity = self.identity(of: .cookie(sessionKey: self.digest(Array(id.utf8)))) {
                return .known(identity)
            }
        }
        return .absent
    }

    /// Looks an identity up again: nil when its token or session has ended. The scopes are those that the token has now.
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

    private static let openIdentity = Identity(name: "open", scopes: Set(Scope.allCases), source: .open)

    // MARK: Tokens

    /// What one token is worth.
    enum TokenCheck: Equatable {
        case valid(TokenTable.Entry)
        case wrong
        case limited(seconds: Int)
    }

    /// A right token is always valid; failures only change what further failures are answered (see `FailureLimiter`). A
    /// wrong token costs one hash of a bounded length, limited or not.
    func check(_ token: String, peer: String) -> TokenCheck {
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
    /// - Returns: The value of its `Set-Cookie` header.
    func beginSession(for entry: TokenTable.Entry, port: Int, secure: Bool) -> String {
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

    /// Ends every session that the request shows.
    /// - Returns: The value of the `Set-Cookie` header that removes the cookie.
    func endSession(_ headers: HTTPHeaders, port: Int, secure: Bool) -> String {
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
        // What ended the grant before it was observed has not seen this observer.
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

    /// Calls the observers of those grants of `sources` that are no longer valid.
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
        // The scheme's name is in any case.
        guard value.utf8.prefix(scheme.utf8.count).elementsEqual(scheme.utf8, by: { $0 | 0x20 == $1 }) else {
            return nil
        }
        let token = Substring(value.utf8.dropFirst(scheme.utf8.count)).trimmed
        return token.isEmpty ? nil : token
    }
}
