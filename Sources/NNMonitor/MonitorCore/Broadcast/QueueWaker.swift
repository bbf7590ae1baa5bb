/// Wakes the consumers of queues: all that run in one place together, because waking an event loop costs more than what one
/// consumer then does.
package protocol QueueWaker: Sendable {
    /// What tells one place from another, such as the event loop's identity.
    var place: ObjectIdentifier { get }

    /// Has each consumer called in the place, in any order, each once.
    func wake(_ consumers: [@Sendable () -> Void])
}

/// The consumers that an event has to wake, by their places.
struct Sleepers {
    private var places: [ObjectIdentifier: (waker: any QueueWaker, consumers: [@Sendable () -> Void])] = [:]

    /// Adds the consumers of one place.
    mutating func add(_ consumers: [@Sendable () -> Void], waker: any QueueWaker) {
        guard !consumers.isEmpty else { return }
        places[waker.place, default: (waker, [])].consumers += consumers
    }

    /// Wakes each place once.
    func wake() {
        for (waker, consumers) in places.values { waker.wake(consumers) }
    }
}
