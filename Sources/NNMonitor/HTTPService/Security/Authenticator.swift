package import NIOCore
import NIOHTTP1
import Foundations

/// Knows who may do what: tokens, browser sessions, and the brake on guessing. Safe to share between threads.
package final class Authenticator: Sendable {
    /// The cookie that carries a session's id.
    static let cookieName = "nnmonitor_session"

    private let digest: @Sendable ([UInt8]) -> [UInt8]
    private let clock: @Sendable () -> NIODeadline
    private let sessionLifetime: TimeAmount
    private let table: Guarded<TokenTable>
    private let sessions: Guarded<SessionStore>
    private let limiter: Guarded<FailureLimiter>

    /// - Parameters:
    ///   - table: The tokens to begin with.
    ///   - failureLimit: Wrong tokens a minute and address that get 401; more get 429. 0 turns the brake off.
    ///   - sessionLimit: Sessions held at once; a new one evicts the oldest.
    ///   - sessionLifetime: How long a session lives, whether used or not.
    ///   - digest: SHA-256.
    ///   - clock: The time, monotonic.
    package init(
        table: TokenTable, failureLimit: Int = 20, sessionLimit: Int = 4_096,
        sessionLifetime: TimeAmount = .hours(12), digest: @escaping @Sendable ([UInt8]) -> [UInt8],
        clock: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.digest = digest
        self.clock = clock
        self.sessionLifetime = sessionLifetime
        self.table = Guarded(table)
        self.sessions = Guarded(SessionStore(capacity: sessionLimit, lifetime: sessionLifetime))
        self.limiter = Guarded(FailureLimiter(limit: failureLimit))
    }

    /// Puts another table in place, at reload. Sessions whose token it lacks are over at once.
    package func replace(with table: TokenTable) {
        self.table.withLock { $0 = table }
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
    func identify(_ headers: HTTPHeaders, peer: String) -> Outcome {
        if self.isOpen { return .known(Identity(name: "open", scopes: Set(Scope.allCases), source: .open)) }
        if let token = Self.bearerToken(headers) {
            switch self.check(token, peer: peer) {
            case .valid(let entry): return .known(Identity(name: entry.name, scopes: entry.scopes, source: .bearer))
            case .wrong: return .wrong
            case .limited(let seconds): return .limited(seconds: seconds)
            }
        }
        // A cookie is not slowed and its failures don't count: nobody guesses 256 bits, and a browser that comes back
        // after a restart of the server with a dead cookie has done nothing wrong.
        guard let identity = self.identity(ofSession: Self.sessionID(headers)) else { return .absent }
        return .known(identity)
    }

    /// What one token is worth.
    enum TokenCheck: Equatable {
        case valid(TokenTable.Entry)
        case wrong
        case limited(seconds: Int)
    }

    func check(_ token: String, peer: String) -> TokenCheck {
        let now = self.clock()
        if let wait = self.limiter.withLock({ $0.waitingTime(for: peer, now: now) }) {
            return .limited(seconds: Int((wait.nanoseconds + 999_999_999) / 1_000_000_000))
        }
        let digest = self.digest(Array(token.utf8))
        if let entry = self.table.withLock({ $0 }).entry(matching: digest) { return .valid(entry) }
        self.limiter.withLock { $0.recordFailure(of: peer, now: now) }
        return .wrong
    }

    /// Begins a session.
    /// - Returns: The value of its `Set-Cookie` header.
    func beginSession(for entry: TokenTable.Entry, secure: Bool) -> String {
        var generator = SystemRandomNumberGenerator()
        var id = ""
        for _ in 0..<4 {
            let digits = String(generator.next() as UInt64, radix: 16)
            id += String(repeating: "0", count: 16 - digits.count) + digits
        }
        let key = self.digest(Array(id.utf8))
        self.sessions.withLock { $0.add(key, for: entry, now: self.clock()) }
        let seconds = self.sessionLifetime.nanoseconds / 1_000_000_000
        return "\(Self.cookieName)=\(id); \(Self.cookieAttributes(secure: secure)); Max-Age=\(seconds)"
    }

    /// Ends the session that the request shows, if any.
    /// - Returns: The value of the `Set-Cookie` header that removes the cookie.
    func endSession(_ headers: HTTPHeaders, secure: Bool) -> String {
        if let id = Self.sessionID(headers) {
            let key = self.digest(Array(id.utf8))
            self.sessions.withLock { $0.remove(key) }
        }
        return "\(Self.cookieName)=; \(Self.cookieAttributes(secure: secure)); Max-Age=0"
    }

    var sessionCount: Int { self.sessions.withLock { $0.count } }
    var limitedAddressCount: Int { self.limiter.withLock { $0.count } }

    private func identity(ofSession id: String?) -> Identity? {
        guard let id else { return nil }
        let key = self.digest(Array(id.utf8))
        let now = self.clock()
        guard let session = self.sessions.withLock({ $0.session(key, now: now) }) else { return nil }
        let entry = self.table.withLock { table in
            table.entries.first { $0.name == session.tokenName && $0.digest == session.tokenDigest }
        }
        // The scopes are those that the token has now, not those of the login.
        return entry.map { Identity(name: $0.name, scopes: $0.scopes, source: .cookie) }
    }

    private static func cookieAttributes(secure: Bool) -> String {
        "Path=/; HttpOnly; SameSite=Strict" + (secure ? "; Secure" : "")
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

    private static func sessionID(_ headers: HTTPHeaders) -> String? {
        for header in headers["cookie"] {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0].trimmed == Self.cookieName {
                    let id = parts[1].trimmed
                    // A longer value was not made here; it is not worth hashing.
                    return id.utf8.count == 64 ? id : nil
                }
            }
        }
        return nil
    }
}
