import DequeModule
import NIOCore

/// The browser sessions.
///
/// Sessions are stored under the digest of their id: neither a dump of the keys nor the timing of a lookup reveals an
/// id. A session records the name and the digest of its token, and ends when the table no longer has that token with
/// that digest.
///
/// Sessions are limited per token, so that logins with one token cannot evict the sessions of others. The limit on all
/// sessions bounds memory; when it is reached, the token with the most sessions loses its oldest.
struct SessionStore {
    struct Session {
        var tokenName: String
        var tokenDigest: [UInt8]
        var expires: NIODeadline
    }

    typealias Key = [UInt8]

    private let capacity: Int
    private let limitPerToken: Int
    private let lifetime: TimeAmount
    private var sessions: [Key: Session] = [:]
    /// The keys of each token's sessions in order of creation, which is also the order of expiry.
    private var keys: [String: Deque<Key>] = [:]

    init(capacity: Int, limitPerToken: Int, lifetime: TimeAmount) {
        self.capacity = capacity
        self.limitPerToken = limitPerToken
        self.lifetime = lifetime
    }

    var count: Int { self.sessions.count }

    /// Begins a session.
    ///
    /// - Returns: the keys of the sessions that expired or were evicted.
    mutating func add(_ key: Key, for entry: TokenTable.Entry, now: NIODeadline) -> [Key] {
        var ended = self.removeExpired(of: entry.name, now: now)
        while self.count(of: entry.name) >= self.limitPerToken {
            ended += self.removeOldest(of: entry.name)
        }
        if self.sessions.count >= self.capacity {
            for name in Array(self.keys.keys) { ended += self.removeExpired(of: name, now: now) }
        }
        if self.sessions.count >= self.capacity {
            // Count the new session too: among tokens with equal counts, the token that logs in loses a session.
            let largest = self.keys.max { left, right in
                left.value.count + (left.key == entry.name ? 1 : 0)
                    < right.value.count + (right.key == entry.name ? 1 : 0)
            }
            if let largest { ended += self.removeOldest(of: largest.key) }
        }
        self.sessions[key] = Session(
            tokenName: entry.name, tokenDigest: entry.digest, expires: now + self.lifetime)
        self.keys[entry.name, default: []].append(key)
        return ended
    }

    /// The session of `key`; nil if there is none or it has expired.
    func session(_ key: Key, now: NIODeadline) -> Session? {
        guard let session = self.sessions[key], now < session.expires else { return nil }
        return session
    }

    mutating func remove(_ key: Key) {
        guard let session = self.sessions.removeValue(forKey: key) else { return }
        self.keys[session.tokenName]?.removeAll { $0 == key }
        if self.keys[session.tokenName]?.isEmpty == true { self.keys[session.tokenName] = nil }
    }

    /// Removes the sessions whose token is not in the table with the same digest. They are removed rather than skipped,
    /// so that a later table cannot revive them.
    mutating func removeAll(notIn table: TokenTable) {
        var digests: [String: [UInt8]] = [:]
        for entry in table.entries { digests[entry.name] = entry.digest }
        for (key, session) in self.sessions where digests[session.tokenName] != session.tokenDigest {
            self.remove(key)
        }
    }

    private func count(of name: String) -> Int { self.keys[name]?.count ?? 0 }

    private mutating func removeOldest(of name: String) -> [Key] {
        guard let key = self.keys[name]?.first else { return [] }
        self.remove(key)
        return [key]
    }

    private mutating func removeExpired(of name: String, now: NIODeadline) -> [Key] {
        var ended: [Key] = []
        while let oldest = self.keys[name]?.first, self.session(oldest, now: now) == nil {
            self.remove(oldest)
            ended.append(oldest)
        }
        return ended
    }
}
