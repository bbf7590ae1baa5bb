import DequeModule
import Foundations
package import NIOCore

/// The connections of one event loop that have received more than one turn may handle. Each waits for its next turn.
///
/// Between two turns the event loop polls its sockets once, so that every connection with new input gets its turn
/// before any connection here gets another one. `EventLoop.execute` does not have this property: an event loop runs
/// the tasks that its tasks add before it polls again.
package final class TurnQueue {
    /// The time between two turns. A task that is due in the future makes the event loop poll before it runs.
    private static let pause = TimeAmount.microseconds(100)

    private let eventLoop: any EventLoop
    private var waiting: Deque<() -> Void> = []

    /// Makes an empty queue. All calls must be on `eventLoop`.
    package init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Runs `turn` after the turns that already wait.
    func append(_ turn: @escaping () -> Void) {
        waiting.append(turn)
        if waiting.count == 1 { schedule() }
    }

    private func schedule() {
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
            // The turn stays in the queue while it runs, so that `append` does not schedule a second task.
            waiting.first?()
            waiting.removeFirst()
            if !waiting.isEmpty { schedule() }
        }
    }
}

@available(*, unavailable)
extension TurnQueue: Sendable {}

/// The `TurnQueue` of each event loop.
package final class TurnQueues: Sendable {
    private let queues = Locked<[ObjectIdentifier: NIOLoopBound<TurnQueue>]>([:])

    /// Makes an empty set of queues.
    package init() {}

    /// The queue of `eventLoop`, which must be the current one. It holds the event loop, so that its identity stays
    /// unique.
    package func queue(of eventLoop: any EventLoop) -> TurnQueue {
        queues.withLock { queues in
            if let queue = queues[ObjectIdentifier(eventLoop)] { return queue }
            let queue = NIOLoopBound(TurnQueue(eventLoop: eventLoop), eventLoop: eventLoop)
            queues[ObjectIdentifier(eventLoop)] = queue
            return queue
        }.value
    }
}
