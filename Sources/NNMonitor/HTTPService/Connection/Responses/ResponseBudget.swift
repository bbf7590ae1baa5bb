import Foundations
package import NIOCore
import NIOHTTP1

/// Divides the memory for responses under way among the clients.
///
/// `limit` bounds what the responses reserve together with what their snapshots keep alive after the store has removed
/// it. The shares of tokens and addresses, the part that only small responses may use, and the eviction of responses
/// that make no progress are those of `BodyBudget`. One response is always admitted when there is no other, so that a
/// step larger than the limit can be read.
///
/// Snapshots come to keep memory alive without a new request: the store removes what they contain. If the limit is then
/// exceeded, the slowest reader of such a snapshot is dropped, then the next one.
package final class ResponseBudget: Sendable {
    private struct State {
        var shares: BodyShares
        /// The response that is being dropped because of `retained`. Its memory is freed when it ends; until then no
        /// other one is dropped.
        var dropped: UInt64?
    }

    private let limit: Int
    private let state: Locked<State>
    private let retained: @Sendable () -> Int
    private let onDrop: @Sendable () -> Void
    /// The interval in which a response that waits for its client should report its progress.
    let reportInterval: TimeAmount

    /// - Parameters:
    ///   - limit: the maximum memory of all responses and of what their snapshots keep alive, in bytes.
    ///   - stallTime: a response may be dropped in favor of others if its client took less than `minimumRate` for this
    ///     long.
    ///   - minimumRate: in bytes per second. With 0, a client that takes any byte makes progress.
    ///   - retained: the bytes that snapshots alone keep alive, of all responses; must not block.
    ///   - onDrop: called, on any thread, when a reader is dropped because of `retained`.
    package init(
        limit: Int, stallTime: TimeAmount, minimumRate: Int, retained: @escaping @Sendable () -> Int = { 0 },
        onDrop: @escaping @Sendable () -> Void = {}
    ) {
        let progress = max(1, Int(Double(minimumRate) * Double(stallTime.nanoseconds) / 1e9))
        var shares = BodyShares(limit: limit, stallTime: stallTime, progress: progress)
        shares.admitsOneOfAnySize = true
        self.limit = limit
        self.state = Locked(State(shares: shares))
        self.retained = retained
        self.onDrop = onDrop
        self.reportInterval = .nanoseconds(max(1_000_000, stallTime.nanoseconds / 4))
    }

    /// The answer to a request for which there is no memory: 503 with `Retry-After`.
    package static var busy: HTTPError { HTTPError(.busy(busyMessage)) }

    /// The text of that answer.
    package static let busyMessage = "Too many responses are in progress; try again in a moment"

    /// Reserves the memory of a response before it is produced.
    ///
    /// - Parameters:
    ///   - bytes: what the response needs at once.
    ///   - access: the grant of the request; nil if it needed none.
    ///   - peer: the client's address without its port.
    ///   - retained: the bytes that the response's snapshot and others of its kind keep alive; must not block.
    /// - Returns: the reservation, which ends when it is released.
    /// - Throws: `HTTPError` with 503 and `Retry-After` if the other responses use all that the client may use.
    package func reserve(
        _ bytes: Int, access: AccessGrant?, peer: String, retained: (@Sendable () -> Int)? = nil
    ) throws(HTTPError) -> ResponseReservation {
        let now = NIODeadline.now()
        let address = ClientAddress.key(peer)
        let outside = self.retained()
        let (id, growth, evictions) = self.state.withLock { state in
            let share = state.shares.join(identity: access?.tokenName, address: address)
            let id = state.shares.begin(in: share, now: now)
            state.shares.leave(share)
            state.shares.outside = outside
            let growth = state.shares.grow(id, by: bytes, now: now)
            if growth == .taken { state.shares.setRetained(retained, of: id) } else { state.shares.end(id) }
            return (id, growth, state.shares.takeEvictions())
        }
        for eviction in evictions { eviction() }
        guard growth == .taken else { throw Self.busy }
        return ResponseReservation(budget: self, id: id, bytes: bytes)
    }

    /// Drops the slowest reader if snapshots keep too much alive. Call it when the store may have removed something;
    /// without snapshots it only compares two numbers.
    package func check() {
        let outside = self.retained()
        guard outside > 0 else { return }
        let now = NIODeadline.now()
        let eviction = self.state.withLock { state -> (@Sendable () -> Void)? in
            guard state.dropped == nil, state.shares.inUse + outside > self.limit,
                let (id, eviction) = state.shares.slowestWithSnapshot(now: now)
            else { return nil }
            state.dropped = id
            return eviction
        }
        guard let eviction else { return }
        self.onDrop()
        eviction()
    }

    fileprivate func grow(_ id: UInt64, by count: Int) -> Bool {
        let now = NIODeadline.now()
        let outside = self.retained()
        let (growth, evictions) = self.state.withLock { state in
            state.shares.outside = outside
            return (state.shares.grow(id, by: count, now: now), state.shares.takeEvictions())
        }
        for eviction in evictions { eviction() }
        return growth == .taken
    }

    fileprivate func wait(
        _ id: UInt64, taken: Int, now: NIODeadline, eviction: () -> @Sendable () -> Void
    ) {
        guard self.state.withLock({ $0.shares.wait(id, wireBytes: taken, now: now) }) else { return }
        let eviction = eviction()
        self.state.withLock { $0.shares.setEviction(eviction, of: id) }
    }

    fileprivate func end(_ id: UInt64) {
        let wasDropped = self.state.withLock { state in
            state.shares.end(id)
            defer { if state.dropped == id { state.dropped = nil } }
            return state.dropped == id
        }
        if wasDropped { self.check() }
    }

    /// The bytes that responses have reserved.
    package var inUse: Int { self.state.withLock { $0.shares.inUse } }
}

/// The memory of one response under way. It is given back when the last reference is released.
package final class ResponseReservation: Sendable {
    /// Reports the progress of a response, without keeping its memory reserved.
    package struct Progress: Sendable {
        fileprivate let budget: ResponseBudget
        fileprivate let id: UInt64

        /// The interval in which a response that waits for its client should report.
        package var interval: TimeAmount { self.budget.reportInterval }

        /// The response waits for its client: from now on it may be dropped in favor of others.
        ///
        /// - Parameters:
        ///   - taken: the bytes that the client has taken of it.
        ///   - now: the current time.
        ///   - eviction: called the first time. The closure it returns drops the client; it is called at most once, on
        ///     any thread.
        package func report(taken: Int, now: NIODeadline, eviction: () -> @Sendable () -> Void) {
            self.budget.wait(self.id, taken: taken, now: now, eviction: eviction)
        }
    }

    private let budget: ResponseBudget
    private let id: UInt64
    private let bytes: Locked<Int>

    fileprivate init(budget: ResponseBudget, id: UInt64, bytes: Int) {
        self.budget = budget
        self.id = id
        self.bytes = Locked(bytes)
    }

    deinit { self.budget.end(self.id) }

    /// For reports of progress.
    package var progress: Progress { Progress(budget: self.budget, id: self.id) }

    /// Reserves more, if the response turns out to be larger than expected.
    ///
    /// - Parameter bytes: what the response needs at once.
    /// - Returns: false if there is no memory for it, or the response was dropped; then it must end.
    package func grow(to bytes: Int) -> Bool {
        self.bytes.withLock { reserved in
            guard bytes > reserved else { return true }
            guard self.budget.grow(self.id, by: bytes - reserved) else { return false }
            reserved = bytes
            return true
        }
    }
}

extension HTTPResponse {
    /// 503 for a request that would exceed a limit of memory. The limit is shared, so it is worth trying again soon.
    static func busy(_ message: String) -> HTTPResponse {
        var response = HTTPResponse.error(.serviceUnavailable, code: "busy", message: message)
        response.headers.add(name: "Retry-After", value: "1")
        return response
    }
}
