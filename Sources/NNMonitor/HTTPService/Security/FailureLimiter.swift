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

    private static func key(_ peer: String) -> String {
        guard peer.utf8.contains(UInt8(ascii: ":")),
            case .v6(let address)? = try? SocketAddress(ipAddress: peer, port: 0)
        else { return peer }
        // `sockaddr_in6` is two bytes of family, two of port, four of flow label, then the address's 16 (RFC 3493 §3.3).
        // They are copied while the call lends them.
        let bytes = unsafe withUnsafeBytes(of: address.address) { unsafe Array($0[8..<24]) }
        // ::ffff:a.b.c.d is an IPv4 client on a dual-stack socket; it counts by its whole address.
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        return (isMapped ? bytes[...] : bytes.prefix(8)).map { String($0, radix: 16) }.joined(separator: ":")
    }
}
