/// Runs the wake-up calls of queues on one event loop, many in one job: scheduling a job on an event loop costs more
/// than what one consumer does in it.
package protocol QueueWaker: Sendable {
    /// Identifies the event loop: consumers with the same ID are woken in one job.
    var loopID: ObjectIdentifier { get }

    /// Calls each consumer once, on the event loop, in any order.
    ///
    /// - Parameter consumers: the wake-up calls of idle queues.
    func wake(_ consumers: [@Sendable () -> Void])
}

/// The consumers that one event must wake, grouped by event loop.
struct PendingWakeups {
    private var loops: [ObjectIdentifier: (waker: any QueueWaker, consumers: [@Sendable () -> Void])] = [:]

    /// Adds consumers of one event loop.
    mutating func add(_ consumers: [@Sendable () -> Void], waker: any QueueWaker) {
        guard !consumers.isEmpty else { return }
        loops[waker.loopID, default: (waker, [])].consumers += consumers
    }

    /// Wakes all of them, with one job for each event loop.
    func wake() {
        for (waker, consumers) in loops.values { waker.wake(consumers) }
    }
}
