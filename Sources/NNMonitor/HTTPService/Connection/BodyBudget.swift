import Foundations
import NIOCore

/// Divides the memory for request bodies among the clients that send them.
///
/// - All bodies together hold at most `limit` bytes; bodies over `smallBody` bytes at most seven eighths of it. The rest
///   is left to small bodies.
/// - A token holds at most twice what is free: alone two thirds, two tokens two fifths each. Within a token the same
///   rule applies to addresses. A client without a token counts by its address.
/// - The first body of a share may use all that its parent has free, so that a body of `MAX_REQUEST_SIZE` can get in.
/// - A body that does not find room takes the place of unfinished bodies that make no progress, those of its own share
///   first.
///
/// Each body has one entry. Its bytes are given back when the entry is removed, which happens once, by `end` or by
/// eviction.
final class BodyBudget: Sendable {
    /// Bytes up to which a body is small.
    static let smallBody = 128 << 10
    /// Bytes on the wire that an unfinished body must bring within the stall time.
    static let progress = 4_096

    private let limit: Int
    private let stallTime: TimeAmount
    private let state: Guarded<BodyShares>

    /// - Parameters:
    ///   - limit: bytes of all bodies together.
    ///   - stallTime: time in which an unfinished body must bring `progress` bytes to keep its place.
    init(limit: Int, stallTime: TimeAmount) {
        self.limit = limit
        self.stallTime = stallTime
        self.state = Guarded(BodyShares(limit: limit, stallTime: stallTime))
    }

    /// The share of a client, until `leave`.
    func join(identity: String?, address: String) -> Int {
        self.state.withLock { $0.join(identity: identity, address: address) }
    }

    /// Ends one `join`.
    func leave(_ share: Int) { self.state.withLock { $0.leave(share) } }

    /// Adds a body of a share, which holds nothing yet.
    func begin(in share: Int, now: NIODeadline) -> UInt64 { self.state.withLock { $0.begin(in: share, now: now) } }

    /// Sets bytes aside for a body.
    /// - Throws: `noRoom`, when nothing was set aside; `stalled`, when the body has lost its place.
    func grow(_ body: UInt64, by count: Int, now: NIODeadline) throws(BodyFailure) {
        let (result, evictions) = self.state.withLock { state in
            let result = state.grow(body, by: count, now: now)
            return (result, state.takeEvictions())
        }
        for eviction in evictions { eviction() }
        switch result {
        case .taken: return
        case .noRoom: throw .noRoom
        case .evicted: throw .stalled
        }
    }

    /// Notes that a body is unfinished and how many of its bytes have come on the wire.
    ///
    /// `eviction` is asked for once, when the body first waits. What it makes is called when the body loses its place, on
    /// any thread.
    func wait(_ body: UInt64, wireBytes: Int, now: NIODeadline, eviction: () -> @Sendable () -> Void) {
        guard self.state.withLock({ $0.wait(body, wireBytes: wireBytes, now: now) }) else { return }
        let eviction = eviction()
        self.state.withLock { $0.setEviction(eviction, of: body) }
    }

    /// The body is whole: it keeps its bytes until `end`, and can no longer be evicted.
    /// - Returns: false when it has lost its place already.
    func finish(_ body: UInt64) -> Bool { self.state.withLock { $0.finish(body) } }

    /// Removes a body and gives its bytes back; does nothing when it is gone already.
    func end(_ body: UInt64) { self.state.withLock { $0.end(body) } }

    /// Bytes that are set aside now.
    var inUse: Int { self.state.withLock { $0.inUse } }

    /// Shares that exist now, and bodies.
    var count: (shares: Int, bodies: Int) { self.state.withLock { $0.count } }
}
