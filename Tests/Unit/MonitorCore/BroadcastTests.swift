import Foundations
import Testing

@testable import MonitorCore

/// A renderer whose frames are the JSON itself. It counts its calls.
private final class PlainRenderer: FrameRenderer {
    let rendered = Locked(0)

    func render(_ json: [UInt8], variant: Int) -> String {
        rendered.withLock { $0 += 1 }
        return "\(variant):" + String(decoding: json, as: UTF8.self)
    }

    func size(of frame: String) -> Int { frame.utf8.count }
}

/// The accepted steps by sequence number.
private final class Accepted: Sendable {
    let steps = Locked<[UInt64: Int64]>([:])
}

extension SubscriberQueue {
    fileprivate func drain() -> [QueueItem<Frame>] {
        var items: [QueueItem<Frame>] = []
        while let item = take() { items.append(item) }
        return items
    }
}

/// The broadcaster and the subscribers' queues.
@Suite struct BroadcastTests {
    private func frames(_ items: [QueueItem<String>]) -> [String] {
        items.map { item in
            switch item {
            case .step(let frame): frame
            case .lagged(let skipped): "lagged \(skipped)"
            }
        }
    }

    @Test func `events out of order wait for their turn`() {
        var resequencer = Resequencer<Int>()
        var order: [Int] = []
        for number in [2, 3, 1, 5, 6, 4, 7] {
            resequencer.accept(number, sequence: UInt64(number)) { order.append($0) }
        }
        #expect(order == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func `a message is rendered once per variant in use`() async {
        let renderer = PlainRenderer()
        let broadcast = BroadcastManager(renderer: renderer)
        let store = MemoryStore(limits: StoreLimits())
        await broadcast.publish(.stored(store.append(Payloads.step(1)).step))
        #expect(renderer.rendered.withLock { $0 } == 0)
        let queues = (0..<5).map { _ in SubscriberQueue<String>(limits: QueueLimits()) {} }
        for (index, queue) in queues.enumerated() { _ = await broadcast.subscribe(queue, variant: index % 2) }
        await broadcast.publish(.stored(store.append(Payloads.step(2)).step))
        #expect(renderer.rendered.withLock { $0 } == 2)
        let first = frames(queues[0].drain())
        #expect(first.count == 1)
        #expect(first[0].hasPrefix(#"0:{"type":"new_metrics","run_id":"r","data":{"step":2,"#))
    }

    @Test func `events are skipped only without subscribers and keep their order`() async {
        let renderer = PlainRenderer()
        let broadcast = BroadcastManager(renderer: renderer)
        let store = MemoryStore(limits: StoreLimits())
        var steps: [StoredStep] = []
        for number in 1...6 { steps.append(await store.append(Payloads.step(number)).step) }
        #expect(broadcast.skipIfUnwatched(.stored(steps[0])))
        // The third step is published before the second. A subscriber that joins in between gets both.
        #expect(broadcast.skipIfUnwatched(.stored(steps[2])))
        let queue = SubscriberQueue<String>(limits: QueueLimits()) {}
        let ticket = await broadcast.subscribe(queue, variant: 0)
        #expect(!broadcast.skipIfUnwatched(.stored(steps[1])))
        await broadcast.publish(.stored(steps[1]))
        let sent = frames(queue.drain())
        #expect(sent.count == 2 && sent[0].contains(#""data":{"step":2,"#) && sent[1].contains(#""data":{"step":3,"#))
        await broadcast.unsubscribe(ticket)
        #expect(broadcast.skipIfUnwatched(.stored(steps[3])))
        _ = await broadcast.subscribe(queue, variant: 0)
        await broadcast.publish(.stored(steps[5]))
        #expect(frames(queue.drain()).isEmpty)
        await broadcast.publish(.stored(steps[4]))
        #expect(frames(queue.drain()).count == 2)
    }

    @Test func `a removed run is announced in the order of the steps`() async throws {
        let broadcast = BroadcastManager(renderer: PlainRenderer())
        let store = MemoryStore(limits: StoreLimits())
        let queue = SubscriberQueue<String>(limits: QueueLimits()) {}
        _ = await broadcast.subscribe(queue, variant: 0)
        let first = await store.append(Payloads.step(1)).step
        let removed = try #require(await store.remove("r"))
        let second = await store.append(Payloads.step(2)).step
        // Events may reach the broadcaster in any order.
        await broadcast.publish(.stored(second))
        await broadcast.publish(.removed(removed))
        #expect(frames(queue.drain()).isEmpty)
        await broadcast.publish(.stored(first))
        let sent = frames(queue.drain())
        #expect(sent.count == 3)
        #expect(sent[0].contains(#""data":{"step":1,"#))
        #expect(sent[1] == #"0:{"type":"run_deleted","run_id":"r","reason":"deleted"}"#)
        #expect(sent[2].contains(#""data":{"step":2,"#))
    }

    @Test func `a void event has no message and holds back no other`() async throws {
        let broadcast = BroadcastManager(renderer: PlainRenderer(), lastSequence: 10)
        let store = MemoryStore(limits: StoreLimits(), lastSequence: 10)
        let queue = SubscriberQueue<String>(limits: QueueLimits()) {}
        var steps: [StoredStep] = []
        for number in 1...4 { steps.append(await store.append(Payloads.step(number)).step) }
        // First without subscribers, then with one.
        #expect(broadcast.skipIfUnwatched(.stored(steps[1])))
        #expect(broadcast.skipIfUnwatched(.void(sequence: 11)))
        _ = await broadcast.subscribe(queue, variant: 0)
        await broadcast.publish(.stored(steps[3]))
        #expect(frames(queue.drain()).isEmpty)
        await broadcast.publish(.void(sequence: 13))
        let sent = frames(queue.drain())
        #expect(sent.count == 1)
        #expect(sent[0].contains(#""data":{"step":4,"#))
    }

    @Test func `every subscriber gets the order of the store under concurrent posts`() async {
        let broadcast = BroadcastManager(renderer: PlainRenderer())
        let store = MemoryStore(limits: StoreLimits())
        let queues = (0..<4).map { _ in SubscriberQueue<String>(limits: QueueLimits(messages: 10_000)) {} }
        for queue in queues { _ = await broadcast.subscribe(queue, variant: 0) }
        let accepted = Accepted()
        await withTaskGroup(of: Void.self) { group in
            for poster in 0..<8 {
                group.addTask {
                    for number in 0..<100 {
                        let stored = await store.append(Payloads.step(poster * 100 + number)).step
                        accepted.steps.withLock { $0[stored.sequence] = stored.record.step }
                        await broadcast.publish(.stored(stored))
                    }
                }
            }
        }
        let order = accepted.steps.withLock { accepted in (1...800).map { accepted[UInt64($0)]! } }
        for queue in queues {
            let seen = frames(queue.drain()).map { frame in
                Int64(frame.split(separator: "\"step\":")[1].prefix { $0 != "," })
            }
            #expect(seen == order)
        }
    }

    @Test func `over the limit the newest stay and the gap is reported once`() {
        let queue = SubscriberQueue<String>(limits: QueueLimits(messages: 3)) {}
        for number in 1...10 { _ = queue.offer("\(number)", bytes: 1, runID: "r", sequence: UInt64(number)) }
        #expect(frames(queue.drain()) == ["lagged 7", "8", "9", "10"])
        _ = queue.offer("11", bytes: 1, runID: "r", sequence: 11)
        #expect(frames(queue.drain()) == ["11"])
    }

    @Test func `the limit in bytes holds too`() {
        let queue = SubscriberQueue<String>(limits: QueueLimits(messages: 100, bytes: 10)) {}
        for number in 1...5 { _ = queue.offer("\(number)", bytes: 4, runID: "r", sequence: UInt64(number)) }
        #expect(frames(queue.drain()) == ["lagged 3", "4", "5"])
    }

    @Test func `after a snapshot only later steps are sent`() {
        let queue = SubscriberQueue<String>(limits: QueueLimits()) {}
        _ = queue.offer("r1", bytes: 2, runID: "r", sequence: 1)
        _ = queue.offer("s2", bytes: 2, runID: "s", sequence: 2)
        _ = queue.offer("r3", bytes: 2, runID: "r", sequence: 3)
        _ = queue.offer("r6", bytes: 2, runID: "r", sequence: 6)
        queue.beginAfter(5, runID: "r")
        #expect(frames(queue.drain()) == ["s2", "r6"])
        queue.beginAfter(9, runID: "r")
        _ = queue.offer("r8", bytes: 2, runID: "r", sequence: 8)
        _ = queue.offer("s9", bytes: 2, runID: "s", sequence: 9)
        _ = queue.offer("r10", bytes: 3, runID: "r", sequence: 10)
        #expect(frames(queue.drain()) == ["s9", "r10"])
    }

    @Test func `an idle consumer is woken once`() {
        let queue = SubscriberQueue<String>(limits: QueueLimits()) {}
        #expect(!queue.offer("1", bytes: 1, runID: "r", sequence: 1))
        _ = queue.drain()
        #expect(queue.offer("2", bytes: 1, runID: "r", sequence: 2))
        #expect(!queue.offer("3", bytes: 1, runID: "r", sequence: 3))
        #expect(queue.drain().count == 2)
        queue.close()
        #expect(!queue.offer("4", bytes: 1, runID: "r", sequence: 4))
        #expect(queue.drain().isEmpty)
    }

    /// Records the number of consumers of each call, and calls them.
    private final class CountingWaker: QueueWaker {
        let calls = Locked<[Int]>([])

        var loopID: ObjectIdentifier { ObjectIdentifier(self) }

        func wake(_ consumers: [@Sendable () -> Void]) {
            calls.withLock { $0.append(consumers.count) }
            for consumer in consumers { consumer() }
        }
    }

    @Test func `each event loop is woken once for all its idle consumers`() async {
        let broadcast = BroadcastManager(renderer: PlainRenderer())
        let store = MemoryStore(limits: StoreLimits())
        let wakers = [CountingWaker(), CountingWaker()]
        let woken = Locked<[Int]>([])
        let queues = (0..<20).map { index in
            SubscriberQueue<String>(limits: QueueLimits(), waker: wakers[index % 2]) {
                woken.withLock { $0.append(index) }
            }
        }
        var tickets: [BroadcastManager<PlainRenderer>.Ticket] = []
        // Each event loop has subscribers of two variants.
        for (index, queue) in queues.enumerated() {
            tickets.append(await broadcast.subscribe(queue, variant: index / 10))
        }
        await broadcast.publish(.stored(store.append(Payloads.step(1)).step))
        // No consumer has found its queue empty yet.
        #expect(wakers.allSatisfy { $0.calls.withLock { $0 } == [] })
        for queue in queues { #expect(queue.drain().count == 1) }
        await broadcast.publish(.stored(store.append(Payloads.step(2)).step))
        #expect(wakers.allSatisfy { $0.calls.withLock { $0 } == [10] })
        #expect(woken.withLock { $0 }.sorted() == Array(0..<20))
        // One consumer of the first event loop is idle, and none of the other.
        _ = queues[4].drain()
        await broadcast.publish(.stored(store.append(Payloads.step(3)).step))
        #expect(wakers[0].calls.withLock { $0 } == [10, 1])
        #expect(wakers[1].calls.withLock { $0 } == [10])
        for ticket in tickets { await broadcast.unsubscribe(ticket) }
        #expect(await broadcast.subscriberCount == 0)
        await broadcast.publish(.stored(store.append(Payloads.step(4)).step))
        #expect(frames(queues[1].drain()).count == 2)
    }
}
