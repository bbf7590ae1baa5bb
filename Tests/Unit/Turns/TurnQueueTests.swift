import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import Turns

@Suite struct TurnQueueTests {
    /// The turns of several connections in the order in which they ran. Used on one event loop.
    private final class Order {
        var names: [String] = []

        /// Appends `count` turns of `name`, each one when the turn before it runs.
        func take(_ count: Int, of name: String, from queue: TurnQueue, then end: @escaping () -> Void = {}) {
            guard count > 0 else { return end() }
            queue.append { [self] in
                names.append(name)
                take(count - 1, of: name, from: queue, then: end)
            }
        }
    }

    @Test func `Turns that wait run together, and turns that they append run in the next round`() {
        let loop = EmbeddedEventLoop()
        let queue = TurnQueue(eventLoop: loop)
        let order = Order()
        for name in ["a", "b", "c"] { order.take(2, of: name, from: queue) }
        // The event loop polls when no task is due.
        loop.run()
        #expect(order.names.isEmpty)
        loop.advanceTime(by: .microseconds(100))
        #expect(order.names == ["a", "b", "c"])
        #expect(queue.roundSize == 3)
        loop.run()
        #expect(order.names == ["a", "b", "c"])
        loop.advanceTime(by: .microseconds(100))
        #expect(order.names == ["a", "b", "c", "a", "b", "c"])
    }

    @Test func `The event loop polls between two rounds, even if tasks are due all the time`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        // Two queues have a signal each, and the event loop sees both signals in each poll.
        let names = try await loop.flatSubmit {
            let order = Order()
            let queues = [TurnQueue(eventLoop: loop), TurnQueue(eventLoop: loop)]
            let isDone = loop.makePromise(of: [String].self)
            var running = queues.count
            for (queue, name) in zip(queues, ["a", "b"]) {
                order.take(100, of: name, from: queue) {
                    running -= 1
                    if running == 0 { isDone.succeed(order.names) }
                }
            }
            return isDone.futureResult
        }.get()
        var lead = 0
        for name in names {
            lead += name == "a" ? 1 : -1
            #expect(abs(lead) <= 1)
        }
        #expect(names.count == 200)
        try await group.shutdownGracefully()
    }

    @Test func `A set of queues has one queue for each event loop`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let queues = TurnQueues()
        try await queues.prepare(group)
        for loop in group.makeIterator() {
            #expect(try await loop.submit { queues.queue(of: loop) === queues.queue(of: loop) }.get())
        }
        try await group.shutdownGracefully()
    }
}
