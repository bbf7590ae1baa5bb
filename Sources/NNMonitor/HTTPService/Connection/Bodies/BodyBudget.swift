import Foundations
import NIOCore

/// Divides the memory for request bodies among the clients.
///
/// - All bodies together hold at most `limit` bytes; bodies over `smallBody` bytes hold at most seven eighths of it.
///   The rest is reserved for small bodies.
/// - A token holds at most twice the free memory: two thirds alone, two fifths each for two tokens. Within a token the
///   same rule applies to addresses. A client without a token is accounted by its address.
/// - The first body of a share may use all of its parent's free memory, so that a body of `MAX_REQUEST_SIZE` fits.
/// - If a body does not fit, unfinished bodies that make no progress are evicted, first those of its own share.
///
/// Each body has one entry. Its bytes are released when the entry is removed, which happens once: by `end` or by
/// eviction.
final class BodyBudget: Sendable {
    /// The maximum size of a small body, in bytes.
    static let smallBody = 128 << 10
    /// The bytes that an unfinished body must receive within the stall time, before decompression.
    static let progress = 4_096

    private let limit: Int
    private let stallTime: TimeAmount
    private let state: Locked<BodyShares>

    /// Creates a budget.
    ///
    /// - Parameters:
    ///   - limit: the maximum memory of all bodies, in bytes.
    ///   - stallTime: the time in which an unfinished body must receive `progress` bytes to be safe from eviction.
    init(limit: Int, stallTime: TimeAmount) {
        self.limit = limit
        self.stallTime = stallTime
        self.state = Locked(BodyShares(limit: limit, stallTime: stallTime))
    }

    /// Returns the share of a client. Each call needs one call of `leave`.
    func join(identity: String?, address: String) -> Int {
        self.state.withLock { $0.join(identity: identity, address: address) }
    }

    /// Ends one `join`.
    func leave(_ share: Int) { self.state.withLock { $0.leave(share) } }

    /// Adds an empty body to a share, and returns its id.
    func begin(in share: Int, now: NIODeadline) -> UInt64 { self.state.withLock { $0.begin(in: share, now: now) } }

    /// Reserves bytes for a body.
    ///
    /// - Throws: `noRoom` if nothing was reserved; `stalled` if the body was evicted.
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

    /// Gives back bytes of a body. Those that make it a large body stay reserved.
    func shrink(_ body: UInt64, by count: Int) { self.state.withLock { $0.shrink(body, by: count) } }

    /// Marks a body as unfinished, so that it can be evicted, and records its progress.
    ///
    /// - Parameters:
    ///   - body: the body's id.
    ///   - wireBytes: the bytes received so far, before decompression.
    ///   - now: the current time.
    ///   - eviction: called once, when the body is first marked. The closure it returns is called if the body is
    ///     evicted, on any thread.
    func wait(_ body: UInt64, wireBytes: Int, now: NIODeadline, eviction: () -> @Sendable () -> Void) {
        guard self.state.withLock({ $0.wait(body, wireBytes: wireBytes, now: now) }) else { return }
        let eviction = eviction()
        self.state.withLock { $0.setEviction(eviction, of: body) }
    }

    /// Marks a body as complete: it keeps its bytes until `end` and can no longer be evicted.
    ///
    /// - Returns: false if the body was already evicted.
    func finish(_ body: UInt64) -> Bool { self.state.withLock { $0.finish(body) } }

    /// Removes a body and releases its bytes. Does nothing if it was already removed.
    func end(_ body: UInt64) { self.state.withLock { $0.end(body) } }

    /// The reserved bytes.
    var inUse: Int { self.state.withLock { $0.inUse } }

    /// The number of shares and of bodies.
    var count: (shares: Int, bodies: Int) { self.state.withLock { $0.count } }
}
