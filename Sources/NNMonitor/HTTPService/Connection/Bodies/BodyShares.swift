import NIOCore

/// The state of `BodyBudget` and of `ResponseBudget`: a tree of all bodies, tokens, and addresses within tokens. It
/// reads no clock.
struct BodyShares {
    enum Growth { case taken, noRoom, evicted }

    private struct Key: Hashable {
        var parent: Int
        var isIdentity: Bool
        var name: String
    }

    private struct Share {
        var key: Key
        /// The bytes of small bodies (up to `BodyBudget.smallBody`) and of large ones.
        var small = 0
        var large = 0
        /// The number of connections, bodies and child shares that use this share.
        var users = 0
        /// The unfinished bodies of this share and its descendants.
        var waiting: Set<UInt64> = []
        /// A lower bound of the time at which an unfinished body becomes stalled.
        var nextStall = NIODeadline.distantFuture
    }

    private struct Body {
        var share: Int
        var taken = 0
        let begun: NIODeadline
        /// When the body last made progress, and its wire bytes at that time.
        var lastProgress: NIODeadline
        var wireBytes = 0
        /// The wire bytes at the last report.
        var reported = 0
        var isWaiting = false
        var eviction: (@Sendable () -> Void)?
        /// The bytes that the body's snapshot keeps alive beside `taken`, with other snapshots of its kind.
        var retained: (@Sendable () -> Int)?
    }

    private static let root = 0

    private let limit: Int
    private let largeLimit: Int
    private let stallTime: TimeAmount
    private let progress: Int
    /// Whether a body that is larger than the limit is admitted while there is no other.
    var admitsOneOfAnySize = false
    /// The bytes that count against the limit and belong to no share.
    var outside = 0
    private var shares: [Share]
    private var unusedShares: [Int] = []
    private var table: [Key: Int] = [:]
    private var bodies: [UInt64: Body] = [:]
    private var lastBody: UInt64 = 0
    private var evictions: [@Sendable () -> Void] = []

    /// - Parameters:
    ///   - limit: the maximum memory of all bodies, in bytes.
    ///   - stallTime: the time in which an unfinished body must make progress.
    ///   - progress: the bytes of progress.
    init(limit: Int, stallTime: TimeAmount, progress: Int = BodyBudget.progress) {
        self.progress = progress
        self.limit = limit
        self.largeLimit = limit - limit / 8
        self.stallTime = stallTime
        self.shares = [Share(key: Key(parent: Self.root, isIdentity: false, name: ""))]
    }

    var inUse: Int { self.shares[Self.root].small + self.shares[Self.root].large }
    var count: (shares: Int, bodies: Int) { (self.table.count, self.bodies.count) }

    // MARK: Shares

    mutating func join(identity: String?, address: String) -> Int {
        var share = Self.root
        if let identity { share = self.child(Key(parent: share, isIdentity: true, name: identity)) }
        share = self.child(Key(parent: share, isIdentity: false, name: address))
        self.shares[share].users += 1
        return share
    }

    mutating func leave(_ share: Int) {
        var share = share
        while share != Self.root {
            self.shares[share].users -= 1
            guard self.shares[share].users == 0 else { return }
            self.table[self.shares[share].key] = nil
            self.unusedShares.append(share)
            share = self.shares[share].key.parent
        }
    }

    private mutating func child(_ key: Key) -> Int {
        if let share = self.table[key] { return share }
        if key.parent != Self.root { self.shares[key.parent].users += 1 }
        let share = self.unusedShares.popLast() ?? self.shares.count
        if share == self.shares.count {
            self.shares.append(Share(key: key))
        } else {
            self.shares[share] = Share(key: key)
        }
        self.table[key] = share
        return share
    }

    // MARK: Bodies

    mutating func begin(in share: Int, now: NIODeadline) -> UInt64 {
        self.lastBody += 1
        self.bodies[self.lastBody] = Body(share: share, begun: now, lastProgress: now)
        self.shares[share].users += 1
        return self.lastBody
    }

    // Bodies are read and written whole: changing one in place through the dictionary's optional allocates each time.

    mutating func grow(_ id: UInt64, by count: Int, now: NIODeadline) -> Growth {
        guard var body = self.bodies[id] else { return .evicted }
        guard count > 0 else { return .taken }
        let need = Need(body: body.taken, growth: count)
        if self.room(in: body.share, for: need) < need.bytes, !self.makeRoom(for: need, of: id, body.share, now: now) {
            return .noRoom
        }
        self.forEachShare(from: body.share) { share in
            if need.isSmall {
                share.small += count
            } else {
                share.large += need.bytes
                share.small -= need.moved
            }
        }
        body.taken += count
        self.bodies.updateValue(body, forKey: id)
        return .taken
    }

    /// Gives back bytes of a large body, which stays large.
    mutating func shrink(_ id: UInt64, by count: Int) {
        guard var body = self.bodies[id] else { return }
        let returned = min(count, body.taken - BodyBudget.smallBody - 1)
        guard returned > 0 else { return }
        self.forEachShare(from: body.share) { $0.large -= returned }
        body.taken -= returned
        self.bodies.updateValue(body, forKey: id)
    }

    /// Marks a body as unfinished and records its progress.
    ///
    /// - Returns: whether it is marked for the first time.
    mutating func wait(_ id: UInt64, wireBytes: Int, now: NIODeadline) -> Bool {
        guard var body = self.bodies[id] else { return false }
        body.reported = wireBytes
        if wireBytes - body.wireBytes >= self.progress {
            body.wireBytes = wireBytes
            body.lastProgress = now
        }
        let isFirst = !body.isWaiting
        body.isWaiting = true
        self.bodies[id] = body
        guard isFirst else { return false }
        let stall = body.lastProgress + self.stallTime
        self.forEachShare(from: body.share) { share in
            share.waiting.insert(id)
            share.nextStall = min(share.nextStall, stall)
        }
        return true
    }

    mutating func setEviction(_ eviction: @escaping @Sendable () -> Void, of id: UInt64) {
        guard self.bodies[id] == nil else {
            self.bodies[id]?.eviction = eviction
            return
        }
        // The body was evicted after `wait` returned.
        eviction()
    }

    mutating func finish(_ id: UInt64) -> Bool {
        guard var body = self.bodies[id] else { return false }
        self.stopWaiting(id, body)
        guard body.isWaiting || body.eviction != nil else { return true }
        body.isWaiting = false
        body.eviction = nil
        self.bodies.updateValue(body, forKey: id)
        return true
    }

    mutating func end(_ id: UInt64) {
        guard let body = self.bodies.removeValue(forKey: id) else { return }
        self.stopWaiting(id, body)
        self.forEachShare(from: body.share) { share in
            if body.taken <= BodyBudget.smallBody { share.small -= body.taken } else { share.large -= body.taken }
        }
        self.leave(body.share)
    }

    private mutating func stopWaiting(_ id: UInt64, _ body: Body) {
        guard body.isWaiting else { return }
        self.forEachShare(from: body.share) { $0.waiting.remove(id) }
    }

    mutating func takeEvictions() -> [@Sendable () -> Void] {
        guard !self.evictions.isEmpty else { return [] }
        defer { self.evictions = [] }
        return self.evictions
    }

    // MARK: Room

    private func room(in index: Int, for need: Need) -> Int {
        let share = self.shares[index]
        let used = need.isSmall ? share.small : share.large
        if index == Self.root {
            let free = self.limit - self.outside - share.small - share.large
            // The part for small bodies stays theirs, whatever is outside of the shares.
            if need.isSmall { return max(free, self.limit - self.largeLimit - share.small) }
            if self.admitsOneOfAnySize, share.small + share.large == need.own + need.moved { return .max / 4 }
            return min(free + need.moved, self.largeLimit - used)
        }
        let above = self.room(in: share.key.parent, for: need)
        // The share may hold twice what is free after growing by n: used + n <= 2 (above - n).
        return used <= need.own ? above : min(above, above - (above + used) / 3)
    }

    /// Evicts stalled bodies, first in the share, then in those of its ancestors that are full.
    ///
    /// - Returns: whether the body now fits.
    private mutating func makeRoom(for need: Need, of id: UInt64, _ share: Int, now: NIODeadline) -> Bool {
        var index = share
        while true {
            if self.room(in: index, for: need) < need.bytes { self.evictStalled(in: index, except: id, now: now) }
            if self.room(in: share, for: need) >= need.bytes { return true }
            guard index != Self.root else { return false }
            index = self.shares[index].key.parent
        }
    }

    private mutating func evictStalled(in index: Int, except own: UInt64, now: NIODeadline) {
        guard now >= self.shares[index].nextStall else { return }
        var next = NIODeadline.distantFuture
        var stalled: [UInt64] = []
        for id in self.shares[index].waiting {
            guard let body = self.bodies[id] else { continue }
            let stall = body.lastProgress + self.stallTime
            if stall <= now, id != own { stalled.append(id) } else { next = min(next, stall) }
        }
        self.shares[index].nextStall = next
        for id in stalled {
            if let eviction = self.bodies[id]?.eviction { self.evictions.append(eviction) }
            self.end(id)
        }
    }

    // MARK: Snapshots

    /// The body whose client is the slowest, among those whose snapshots keep bytes alive and that wait for their
    /// clients.
    func slowestWithSnapshot(now: NIODeadline) -> (id: UInt64, eviction: @Sendable () -> Void)? {
        var slowest: (id: UInt64, rate: Double, eviction: @Sendable () -> Void)?
        for id in self.shares[Self.root].waiting {
            guard let body = self.bodies[id], let eviction = body.eviction, let retained = body.retained?(),
                retained > 0
            else { continue }
            let rate = Double(body.reported) / Double(max(1, (now - body.begun).nanoseconds))
            if rate < slowest?.rate ?? .infinity { slowest = (id, rate, eviction) }
        }
        return slowest.map { ($0.id, $0.eviction) }
    }

    /// Sets what a body's snapshot keeps alive.
    mutating func setRetained(_ retained: (@Sendable () -> Int)?, of id: UInt64) {
        self.bodies[id]?.retained = retained
    }

    private mutating func forEachShare(from share: Int, _ change: (inout Share) -> Void) {
        var index = share
        change(&self.shares[index])
        while index != Self.root {
            index = self.shares[index].key.parent
            change(&self.shares[index])
        }
    }
}
