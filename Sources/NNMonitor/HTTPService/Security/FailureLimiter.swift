import DequeModule
import NIOCore

/// Counts wrong tokens per client address in windows of one minute. The table's size is bounded.
///
/// An address over its limit gets 429 for every further wrong token until its window ends. Valid tokens are neither
/// counted nor rejected: a trainer with an old token, or a page that makes a browser send wrong tokens, must not lock
/// out an address. The number of guesses is therefore unbounded, which is safe: a token has 256 random bits. 429 slows
/// down well-behaved clients and makes the failures visible in the log.
///
/// Addresses do not affect one another; `ClientAddress` defines the key. When the table is full, the address with the
/// oldest window is removed, so an attacker with many addresses uses constant memory.
struct FailureLimiter {
    static let window = TimeAmount.minutes(1)

    private struct Failures {
        var count: Int
        var start: NIODeadline
    }

    private let limit: Int
    private let capacity: Int
    private var table: [String: Failures] = [:]
    /// The keys of `table`, each once, ordered by the start of their windows.
    private var order: Deque<String> = []

    /// - Parameters:
    ///   - limit: failures per minute that get 401; further ones get 429. 0 disables the limit.
    ///   - capacity: the maximum number of addresses in the table.
    init(limit: Int, capacity: Int = 4_096) {
        self.limit = limit
        self.capacity = capacity
    }

    var count: Int { self.table.count }

    /// The time until the limit on `peer` ends; nil if `peer` is below the limit.
    func waitingTime(for peer: String, now: NIODeadline) -> TimeAmount? {
        guard self.limit > 0, !self.table.isEmpty, let failures = self.table[Self.key(peer)],
            failures.count >= self.limit, now < failures.start + Self.window
        else { return nil }
        return failures.start + Self.window - now
    }

    mutating func recordFailure(of peer: String, now: NIODeadline) {
        guard self.limit > 0 else { return }
        while let oldest = self.order.first, let failures = self.table[oldest], failures.start + Self.window <= now {
            self.forgetOldest()
        }
        let key = Self.key(peer)
        if self.table[key] != nil {
            self.table[key]?.count += 1
            return
        }
        if self.table.count >= self.capacity { self.forgetOldest() }
        self.table[key] = Failures(count: 1, start: now)
        self.order.append(key)
    }

    private mutating func forgetOldest() {
        if let oldest = self.order.popFirst() { self.table[oldest] = nil }
    }

    private static func key(_ peer: String) -> String { ClientAddress.key(peer) }
}
