import Foundations
import Testing

@testable import MonitorCore

/// A renderer whose frames are the JSON itself. It counts its calls.
private final class PlainRenderer: FrameRenderer {
    let rendered = Locked(0)

    func render(_ json: [UInt8], seq: UInt64?, variant: Int) -> String {
        rendered.withLock { $0 += 1 }
        return "\(variant):" + String(decoding: json, as: UTF8.self)
    }

    func size(of frame: String) -> Int { frame.utf8.count }
}

/// The accepted steps by sequence number.
private final class Accepted: Sendable {
    let steps = Locked<[UInt64: Int64]>([:])
}

/// Subscribers of a broadcaster, each with its place.
private final class Audience {
    private let broadcast: BroadcastManager<PlainRenderer>
    private var places: [SubscriberRegistry<PlainRenderer>.Place] = []

    init(of broadcast: BroadcastManager<PlainRenderer>) { self.broadcast = broadcast }

    func join(_ queue: SubscriberQueue<String>, variant: Int = 0) throws {
        let place = try broadcast.subscribers.admit()
        place.begin(queue, variant: variant, connection: ObjectIdentifier(queue))
        places.append(place)
    }

    func leave() {
        for place in places { place.end() }
        places = []
    }
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
            case .frame(let frame): frame
            case .step(let frame, let layers): layers.frame + frame
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

    @Test func `a message is rendered once per variant in use`() async throws {
        let renderer = PlainRenderer()
        let broadcast = BroadcastManager(renderer: renderer)
        let store = MemoryStore(limits: StoreLimits())
        for event in await store.append(Payloads.step(1)).events { await broadcast.publish(event) }
        #expect(renderer.rendered.withLock { $0 } == 0)
        let queues = (0..<5).map { _ in SubscriberQueue<String>(limits: QueueLimits()) {} }
        let audience = Audience(of: broadcast)
        for (index, queue) in queues.enumerated() { try audience.join(queue, variant: index % 2) }
        await broadcast.publish(.stored(store.append(Payloads.step(2)).step))
        #expect(renderer.rendered.withLock { $0 } == 2)
        let first = frames(queues[0].drain())
        #expect(first.count == 1)
        #expect(first[0].hasPrefix(#"0:{"type":"new_metrics","run_id":"r","data":{"step":2,"#))
        audience.leave()
    }

    @Test func `events are skipped only without subscribers and keep their order`() async throws {
        let renderer = PlainRenderer()
        let broadcast = BroadcastManager(renderer: renderer)
        let store = MemoryStore(limits: StoreLimits())
        var steps: [StoredStep] = []
        for number in 1...6 { steps.append(await store.append(Payloads.step(number)).step) }
        // The run begins with an event of its own.
        #expect(broadcast.skipIfUnwatched(.void(sequence: 1)))
        #expect(broadcast.skipIfUnwatched(.stored(steps[0])))
        // The third step is published before the second. A subscriber that joins in between gets both.
        #expect(broadcast.skipIfUnwatched(.stored(steps[2])))
        let queue = SubscriberQueue<String>(limits: QueueLimits()) {}
        let audience = Audience(of: broadcast)
        try audience.join(queue)
        #expect(!broadcast.skipIfUnwatched(.stored(steps[1])))
        await broadcast.publish(.stored(steps[1]))
        let sent = frames(queue.drain())
        #expect(sent.count == 2 && sent[0].contains(#""data":{"step":2,"#) && sent[1].contains(#""data":{"step":3,"#))
        audience.leave()
        #expect(broadcast.skipIfUnwatched(.stored(steps[3])))
        try audience.join(queue)
        await broadcast.publish(.stored(steps[5]))
        #expect(frames(queue.drain()).isEmpty)
        await broadcast.publish(.stored(steps[4]))
        #expect(frames(queue.drain()).count == 2)
        audience.leave()
    }

    /// What a subscriber gets whose subscription is refused while steps come.
    private func messagesAroundARefusal(_ watch: (inout Interest) -> Void, form: LiveForm) async throws -> [String] {
        let broadcast = BroadcastManager(renderer: PlainRenderer())
        let store = MemoryStore(limits: StoreLimits())
        let skipped = Locked(0)
        let queue = SubscriberQueue<String>(
            limits: QueueLimits(), onSkip: { count in skipped.withLock { $0 += count } }, wake: {})
        let place = try broadcast.subscribers.admit()
        place.begin(queue, variant: 0, connection: ObjectIdentifier(queue))
        place.changeInterest(watch, answer: nil, bytes: 0)
        func post(_ number: Int) async {
            for run in ["r", "s"] {
                let events = await store.append(Payloads.step(number, run: run)).events
                for event in events { await broadcast.publish(event) }
            }
        }
        await post(1)
        let added = try #require(await broadcast.add("r", form: form, to: place))
        await post(2)
        await broadcast.undo(added, of: place)
        await post(3)
        let items = frames(queue.drain())
        place.end()
        #expect(skipped.withLock { $0 } == (items.contains("lagged 1") ? 1 : 0))
        return items.map { item in
            if item.hasPrefix("lagged") { return item }
            let run = item.contains(#""run_id":"r""#) ? "r" : "s"
            if item.contains(#""type":"run""#) { return "run \(run)" }
            let form = item.contains(#""type":"step""#) ? " columns" : ""
            return "\(run) \(item.firstMatch(of: /"step":(\d)/)?.1 ?? "")\(form)"
        }
    }

    @Test func `a subscription that is undone leaves what is watched as it was`() async throws {
        let columns = LiveForm.columns(.all)
        #expect(
            try await messagesAroundARefusal({ $0.watch(["s"], form: .nested(.full)) }, form: columns)
                == ["run s", "s 1", "s 2", "s 3"])
        // The steps of a run that was watched before are reported as a gap if they came in another form.
        #expect(
            try await messagesAroundARefusal({ _ in }, form: columns)
                == ["lagged 1", "r 1", "s 1", "s 2", "r 3", "s 3"])
        #expect(
            try await messagesAroundARefusal({ _ in }, form: .nested(.full))
                == ["r 1", "s 1", "r 2", "s 2", "r 3", "s 3"])
    }

    @Test func `a removed run is announced in the order of the steps`() async throws {
        let broadcast = BroadcastManager(renderer: PlainRenderer())
        let store = MemoryStore(limits: StoreLimits())
        let queue = SubscriberQueue<String>(limits: QueueLimits()) {}
        let audience = Audience(of: broadcast)
        try audience.join(queue)
        let first = await store.append(Payloads.step(1)).events
        let removed = try #require(await store.remove("r"))
        let second = await store.append(Payloads.step(2)).events
        // Events may reach the broadcaster in any order.
        for event in second { await broadcast.publish(event) }
        await broadcast.publish(.removed(removed))
        #expect(frames(queue.drain()).isEmpty)
        for event in first { await broadcast.publish(event) }
        let sent = frames(queue.drain())
        #expect(sent.count == 3)
        #expect(sent[0].contains(#""data":{"step":1,"#))
        #expect(sent[1] == #"0:{"type":"run_deleted","run_id":"r","reason":"deleted"}"#)
        #expect(sent[2].contains(#""data":{"step":2,"#))
        audience.leave()
    }

    @Test func `a void event has no message and holds back no other`() async throws {
        let broadcast = BroadcastManager(renderer: PlainRenderer(), lastSequence: 10)
        let store = MemoryStore(limits: StoreLimits(), lastSequence: 10)
        let queue = SubscriberQueue<String>(limits: QueueLimits()) {}
        var steps: [StoredStep] = []
        for number in 1...4 { steps.append(await store.append(Payloads.step(number)).step) }
        // First without subscribers, then with one.
        #expect(broadcast.skipIfUnwatched(.stored(steps[1])))
        for sequence: UInt64 in 11...12 { #expect(broadcast.skipIfUnwatched(.void(sequence: sequence))) }
        let audience = Audience(of: broadcast)
        try audience.join(queue)
        await broadcast.publish(.stored(steps[3]))
        #expect(frames(queue.drain()).isEmpty)
        await broadcast.publish(.void(sequence: 14))
        let sent = frames(queue.drain())
        #expect(sent.count == 1)
        #expect(sent[0].contains(#""data":{"step":4,"#))
        audience.leave()
    }

    @Test func `every subscriber gets the order of the store under concurrent posts`() async throws {
        let broadcast = BroadcastManager(renderer: PlainRenderer())
        let store = MemoryStore(limits: StoreLimits())
        let queues = (0..<4).map { _ in SubscriberQueue<String>(limits: QueueLimits(messages: 10_000)) {} }
        let audience = Audience(of: broadcast)
        for queue in queues { try audience.join(queue) }
        let accepted = Accepted()
        await withTaskGroup(of: Void.self) { group in
            for poster in 0..<8 {
                group.addTask {
                    for number in 0..<100 {
                        let outcome = await store.append(Payloads.step(poster * 100 + number))
                        let stored = outcome.step
                        accepted.steps.withLock { $0[stored.sequence] = stored.record.step }
                        for event in outcome.events { await broadcast.publish(event) }
                    }
                }
            }
        }
        let order = accepted.steps.withLock { accepted in (2...801).map { accepted[UInt64($0)]! } }
        for queue in queues {
            let seen = frames(queue.drain()).map { frame in
                Int64(frame.split(separator: "\"step\":")[1].prefix { $0 != "," })
            }
            #expect(seen == order)
        }
        audience.leave()
    }

    @Test func `over the limit the newest stay and the gap is reported once`() {
        let queue = SubscriberQueue<String>(limits: QueueLimits(messages: 3)) {}
        for number in 1...10 { queue.offer("\(number)", bytes: 1, runID: "r", sequence: UInt64(number)) }
        #expect(frames(queue.drain()) == ["lagged 7", "8", "9", "10"])
        queue.offer("11", bytes: 1, runID: "r", sequence: 11)
        #expect(frames(queue.drain()) == ["11"])
    }

    @Test func `the limit in bytes holds too`() {
        let queue = SubscriberQueue<String>(limits: QueueLimits(messages: 100, bytes: 10)) {}
        for number in 1...5 { queue.offer("\(number)", bytes: 4, runID: "r", sequence: UInt64(number)) }
        #expect(frames(queue.drain()) == ["lagged 3", "4", "5"])
    }

    @Test func `after a snapshot only later steps are sent`() {
        let queue = SubscriberQueue<String>(limits: QueueLimits()) {}
        queue.offer("r1", bytes: 2, runID: "r", sequence: 1)
        queue.offer("s2", bytes: 2, runID: "s", sequence: 2)
        queue.offer("r3", bytes: 2, runID: "r", sequence: 3)
        queue.offer("r6", bytes: 2, runID: "r", sequence: 6)
        queue.beginAfter(5, runID: "r")
        #expect(frames(queue.drain()) == ["s2", "r6"])
        queue.beginAfter(9, runID: "r")
        queue.offer("r8", bytes: 2, runID: "r", sequence: 8)
        queue.offer("s9", bytes: 2, runID: "s", sequence: 9)
        queue.offer("r10", bytes: 3, runID: "r", sequence: 10)
        #expect(frames(queue.drain()) == ["s9", "r10"])
    }

    @Test func `an idle consumer is woken once`() {
        let woken = Locked(0)
        let queue = SubscriberQueue<String>(limits: QueueLimits()) { woken.withLock { $0 += 1 } }
        // The consumer has not found its queue empty yet.
        queue.offer("1", bytes: 1, runID: "r", sequence: 1)
        #expect(woken.withLock { $0 } == 0)
        _ = queue.drain()
        queue.offer("2", bytes: 1, runID: "r", sequence: 2)
        queue.offer("3", bytes: 1, runID: "r", sequence: 3)
        #expect(woken.withLock { $0 } == 1)
        #expect(queue.drain().count == 2)
        queue.close()
        queue.offer("4", bytes: 1, runID: "r", sequence: 4)
        #expect(woken.withLock { $0 } == 1)
        #expect(queue.drain().isEmpty)
    }
}
