import Foundations
package import NIOCore

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

    /// Makes the queues of all event loops of a group, so that their file descriptors are open before those for
    /// connections are counted.
    ///
    /// - Throws: NIO's error if the group has been shut down.
    package func prepare(_ group: any EventLoopGroup) async throws {
        for eventLoop in group.makeIterator() {
            try await eventLoop.submit { _ = self.queue(of: eventLoop) }.get()
        }
    }
}
