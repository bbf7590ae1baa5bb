import DequeModule
import NIOCore

/// Counts wrong tokens per peer address in windows of a minute, in a table of bounded size.
///
/// An address over its limit gets 429 for every further wrong token until its window ends. Right tokens are not counted
/// and never refused: a stale trainer, or a page that makes a browser send wrong tokens, must not lock out an address.
/// So the limit does not bound the number of guesses, and need not: a token of 256 random bits is not found by guessing
/// at any rate. 429 makes well-behaved clients wait, and shows in the log what goes on.
///
/// Addresses don't affect one another. IPv6 addresses count by their /64, since one client commonly owns all of it. When
/// the table is full the address whose window is oldest is forgotten, so that an attacker with many addresses costs
/// constant memory.
struct FailureLimiter {
    static let window = TimeAmount.minutes(1)

    private struct Failures {
        var count: Int
        var start: NIODeadline
    }

    private let limit: Int
    private let capacity: Int
    private var table: [String: Failures] = [:]
    /// The keys by the start of their windows; each key of `table` is in it once.
    private var order: Deque<String> = []

    /// - Parameters:
    ///   - limit: Failures a minute that are answered 401 before 429; 0 turns limiting off.
    ///   - capacity: Addresses remembered at once.
    init(limit: Int, capacity: Int = 4_096) {
        self.limit = limit
        self.capacity = capacity
    }

    var count: Int { self.table.count }

    /// How long the failures of `peer` are limited, or nil when they are not.
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
