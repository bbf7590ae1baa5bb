/// Delivers events in the order of their sequence numbers.
///
/// Tasks that take consecutive numbers in the store reach the broadcaster in any order. Each number must arrive exactly
/// once; a missing one would hold back all events after it for ever. The number of events held back is at most the
/// number of tasks between the store and the broadcaster.
struct Resequencer<Event> {
    private var nextSequence: UInt64
    private var early: [UInt64: Event] = [:]

    /// - Parameter first: the sequence number of the first event.
    init(first: UInt64 = 1) { nextSequence = first }

    /// The sequence number of the last delivered event.
    var lastSequence: UInt64 { nextSequence - 1 }

    /// Accepts an event, and delivers it and the events held back for it, in order, unless an earlier one is missing.
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
}
