/// The work for one connection in one turn. The rest of its input waits for the next turn.
struct TurnBudget {
    /// Received bytes that one turn parses.
    static let bytes = 32 * 1024
    /// Decompressed bytes after which a turn ends.
    static let inflatedBytes = 128 * 1024
    /// Messages and control frames after which a turn ends.
    static let events = 32

    /// How many full turns a round of `TurnQueue` has at most. If more connections wait, their turns are smaller; each
    /// has at least one message.
    static let turnsPerRound = 8

    /// Received bytes that are parsed at once if they may be compressed. DEFLATE expands a byte to at most 1032, so a
    /// turn exceeds `inflatedBytes` by at most 264 192 bytes, whatever the limits on messages. It is longer than the
    /// longest control frame, which is parsed as a whole.
    private static let compressedPortion = 256

    private var bytesLeft: Int
    private var inflatedLeft: Int
    private var eventsLeft: Int

    /// - Parameter roundSize: the number of connections that take a turn in this round.
    init(roundSize: Int = 1) {
        func share(_ limit: Int) -> Int { max(1, min(limit, limit * Self.turnsPerRound / max(1, roundSize))) }
        // Never less than a control frame, which is parsed as a whole.
        bytesLeft = max(Self.compressedPortion, share(Self.bytes))
        inflatedLeft = share(Self.inflatedBytes)
        eventsLeft = share(Self.events)
    }

    var isSpent: Bool { bytesLeft <= 0 || inflatedLeft <= 0 || eventsLeft <= 0 }

    /// The received bytes that may be parsed next.
    func portion(mayBeCompressed: Bool) -> Int {
        mayBeCompressed ? min(bytesLeft, Self.compressedPortion) : bytesLeft
    }

    /// Counts the work for one message or control frame, or for a part of one.
    mutating func spend(bytes: Int, inflated: Int, isEvent: Bool) {
        bytesLeft -= bytes
        inflatedLeft -= inflated
        if isEvent { eventsLeft -= 1 }
    }
}
