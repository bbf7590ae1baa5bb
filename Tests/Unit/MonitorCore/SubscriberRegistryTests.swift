import Testing

@testable import MonitorCore

private struct PlainRenderer: FrameRenderer {
    func render(_ json: [UInt8], seq: UInt64?, variant: Int) -> String { String(decoding: json, as: UTF8.self) }

    func size(of frame: String) -> Int { frame.utf8.count }
}

@Suite struct SubscriberRegistryTests {
    private typealias Registry = SubscriberRegistry<PlainRenderer>

    private func queue() -> SubscriberQueue<String> { SubscriberQueue(limits: QueueLimits()) {} }

    @Test func `a subscriber is counted from its admission, and its end makes room for one`() throws {
        let registry = Registry(limit: 2)
        let places = [try registry.admit(), try registry.admit()]
        #expect(registry.count == 2 && registry.isUnwatched)
        #expect(throws: Registry.Refusal.full) { try registry.admit() }
        let queue = queue()
        places[0].begin(queue, variant: 0, connection: ObjectIdentifier(queue))
        #expect(registry.count == 2 && !registry.isUnwatched)
        for _ in 0..<2 { places[0].end() }
        #expect(registry.count == 1 && registry.isUnwatched)
        let next = try registry.admit()
        #expect(throws: Registry.Refusal.full) { try registry.admit() }
        places[1].end()
        next.end()
        #expect(registry.count == 0)
    }

    @Test func `a place that is released is free`() throws {
        let registry = Registry(limit: 1)
        for _ in 0..<3 {
            var place: Registry.Place? = try registry.admit()
            #expect(place != nil && registry.count == 1)
            place = nil
            #expect(registry.count == 0)
        }
    }

    @Test func `a place that has ended receives nothing`() throws {
        let registry = Registry(limit: 1)
        let place = try registry.admit()
        place.end()
        let queue = queue()
        place.begin(queue, variant: 0, connection: ObjectIdentifier(queue))
        #expect(registry.isUnwatched && !registry.contains(ObjectIdentifier(queue)))
    }

    @Test func `the queues are listed by variant, and each is found by its connection`() throws {
        let registry = Registry(limit: .max)
        let queues = (0..<6).map { _ in queue() }
        let places = try queues.map { _ in try registry.admit() }
        for (index, place) in places.enumerated() {
            place.begin(queues[index], variant: index % 2, connection: ObjectIdentifier(queues[index]))
        }
        #expect(registry.queues.mapValues(\.count) == [0: 3, 1: 3])
        for (index, place) in places.enumerated() where index % 2 == 0 { place.end() }
        #expect(registry.queues.mapValues(\.count) == [1: 3])
        #expect(queues.map { registry.contains(ObjectIdentifier($0)) } == [false, true, false, true, false, true])
        for place in places { place.end() }
    }

    @Test func `a closed registry admits no subscriber`() throws {
        let registry = Registry(limit: .max)
        let place = try registry.admit()
        registry.close()
        #expect(throws: Registry.Refusal.closed) { try registry.admit() }
        #expect(registry.count == 1)
        place.end()
    }
}
