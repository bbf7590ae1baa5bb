/// The requests that a connection may answer in one turn. Further pipelined requests wait for its next turn.
///
/// A turn starts when the connection's socket is read, or in a round of `TurnQueue`.
struct TurnBudget {
    /// The requests of a turn.
    static let requests = 8
    /// The bytes of decompressed bodies and of responses after which a turn ends.
    static let bytes = 128 * 1024
    /// How many full turns a round has at most. If more connections wait, their turns are smaller; each has at least
    /// one request.
    static let turnsPerRound = 8

    private var requestsLeft: Int
    private var bytesLeft: Int

    /// - Parameter roundSize: the number of connections that take a turn in this round.
    init(roundSize: Int = 1) {
        requestsLeft = max(1, min(Self.requests, Self.requests * Self.turnsPerRound / max(1, roundSize)))
        bytesLeft = min(Self.bytes, Self.bytes * Self.turnsPerRound / max(1, roundSize))
    }

    /// Whether the next request must wait for another turn.
    var isSpent: Bool { requestsLeft <= 0 || bytesLeft <= 0 }

    /// Counts bytes of a body.
    mutating func spend(bytes: Int) { bytesLeft -= bytes }

    /// Counts an answered request.
    mutating func spendRequest() { requestsLeft -= 1 }

    /// Ends the turn with the current request.
    mutating func end() { requestsLeft = 0 }
}
