/// Puts events back into the order of their sequence numbers.
///
/// Tasks that took their numbers in one actor reach the next in any order. Each number comes exactly once, so what is
/// held here is never more than what is on its way.
struct Resequencer<Event> {
    private var nextSequence: UInt64
    private var early: [UInt64: Event] = [:]

    /// - Parameter first: the number to begin with.
    init(first: UInt64 = 1) { nextSequence = first }

    /// Takes an event; gives back those whose turn has come, in order.
    mutating func accept(_ event: Event, sequence: UInt64, deliver: (Event) -> Void) {
        guard sequence == nextSequence else {
            if sequence > nextSequence { early[sequence] = event }
            return
        }
        deliver(event)
        nextSequence += 1
        while let next = early.removeValue(forKey: nextSequence) {
            deliver(next)
            nextSequence += 1
        }
    }

    /// Events that wait for an earlier one.
    var waiting: Int { early.count }
}
