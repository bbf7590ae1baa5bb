import NIOCore

/// Receives the bodies of one connection's requests, one at a time, and accounts them in the budget of all bodies.
struct BodyIntake {
    private let server: HTTPServer
    private let peer: String
    private var collector: BodyCollector?
    /// Counts the bytes of the body.
    private var observer: (any RouteObserver)?
    /// The share of this connection's bodies in the budget, and its identity.
    private var share: (identity: String?, index: Int)?

    init(server: HTTPServer, peer: String) {
        self.server = server
        self.peer = peer
    }

    /// Whether a body is being received.
    var isReceiving: Bool { collector != nil }

    /// Begins the body of an admitted request.
    ///
    /// - Throws: `outOfMemory`.
    mutating func begin(_ admitted: HeadGate.Admitted, framing: BodyFraming) throws(BodyFailure) {
        // A request without a body needs no collector.
        guard framing.length != 0 else { return }
        observer = admitted.route.observer
        collector = try BodyCollector(
            isKept: admitted.keepsBody, lines: admitted.request.lines, coding: admitted.coding,
            limit: admitted.bodyLimit, length: framing.length,
            ratio: server.configuration.maximumExpansionRatio, budget: server.bodies,
            share: admitted.keepsBody ? shareOfBodies(admitted.request.access?.tokenName) : 0)
    }

    /// Appends a piece of the body.
    ///
    /// - Returns: the number of bytes that were collected, after decompression.
    func append(_ bytes: ByteBuffer, now: NIODeadline) throws(BodyFailure) -> Int {
        guard let collector else { return 0 }
        observer?.received(bytes.readableBytes)
        return try collector.append(bytes, now: now)
    }

    /// Ends the body.
    ///
    /// - Returns: the body, and its budget entry, which the caller must end.
    mutating func finish() throws(BodyFailure) -> (bytes: ByteBuffer, place: UInt64?) {
        guard let collector else { return (ByteBuffer(), nil) }
        self.collector = nil
        return try collector.finish()
    }

    /// Marks an unfinished body as waiting, once all input that has arrived is processed, so that it can be evicted.
    ///
    /// - Parameters:
    ///   - now: the current time.
    ///   - eviction: makes the closure that is called if the body is evicted, on any thread.
    /// - Throws: `noRoom` if the body's memory cannot be reserved; `stalled` if the body was evicted.
    func waitForInput(now: NIODeadline, eviction: () -> @Sendable () -> Void) throws(BodyFailure) {
        try collector?.wait(now: now, eviction: eviction)
    }

    /// Drops an unfinished body and releases its memory.
    mutating func drop() { collector = nil }

    /// Drops an unfinished body and leaves the budget.
    mutating func end() {
        drop()
        if let share { server.bodies.leave(share.index) }
        share = nil
    }

    /// The budget share of a client. The connection keeps it until a body has another identity.
    private mutating func shareOfBodies(_ identity: String?) -> Int {
        if let share, share.identity == identity { return share.index }
        if let share { server.bodies.leave(share.index) }
        let index = server.bodies.join(identity: identity, address: ClientAddress.key(peer))
        share = (identity, index)
        return index
    }
}
