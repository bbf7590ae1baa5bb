/// The work for one connection in one turn. The rest of its input waits for the next turn.
struct TurnBudget {
    /// Received bytes that one turn parses.
    static let bytes = 32 * 1024
    /// Decompressed bytes after which a turn ends.
    static let inflatedBytes = 128 * 1024
    /// Messages and control frames after which a turn ends.
    static let events = 32

    /// Received bytes that this turn may still parse.
    private(set) var bytesLeft = Self.bytes
    private var inflatedLeft = Self.inflatedBytes
    private var eventsLeft = Self.events

    var isSpent: Bool { bytesLeft <= 0 || inflatedLeft <= 0 || eventsLeft <= 0 }

    /// Counts the work for one message or control frame, or for a part of one.
    mutating func spend(bytes: Int, inflated: Int, isEvent: Bool) {
        bytesLeft -= bytes
        inflatedLeft -= inflated
        if isEvent { eventsLeft -= 1 }
    }
}
