import DequeModule
import NIOCore

/// The browser sessions: who showed a token once and holds a cookie for it.
///
/// A session is kept under the digest of its id, so that neither a dump of the memory's keys nor the time a look-up
/// takes helps to find an id. It names its token and remembers that token's digest: when the table changes and the
/// token is gone or has another value, the session is over.
struct SessionStore {
    struct Session {
        var tokenName: String
        var tokenDigest: [UInt8]
        var expires: NIODeadline
    }

    private let capacity: Int
    private let lifetime: TimeAmount
    private var sessions: [[UInt8]: Session] = [:]
    /// The keys in order of creation, which is also the order of expiry. Ended sessions leave theirs behind until
    /// they come to the front.
    private var order: Deque<[UInt8]> = []

    init(capacity: Int, lifetime: TimeAmount) {
        self.capacity = capacity
        self.lifetime = lifetime
    }

    var count: Int { self.sessions.count }

    mutating func add(_ key: [UInt8], for entry: TokenTable.Entry, now: NIODeadline) {
        while let oldest = self.order.first {
            let session = self.sessions[oldest]
            guard session == nil || self.order.count >= self.capacity || session.map({ $0.expires <= now }) == true
            else { break }
            self.order.removeFirst()
            self.sessions[oldest] = nil
        }
        self.sessions[key] = Session(
            tokenName: entry.name, tokenDigest: entry.digest, expires: now + self.lifetime)
        self.order.append(key)
    }

    /// The session of `key`, unless it has expired.
    func session(_ key: [UInt8], now: NIODeadline) -> Session? {
        guard let session = self.sessions[key], now < session.expires else { return nil }
        return session
    }

    mutating func remove(_ key: [UInt8]) {
        self.sessions[key] = nil
    }
}
