import Foundations
import MonitorCore
import NIOCore
import Testing
import WebSocket

@testable import MonitorAPI

/// Counts the compressions of a `WireFrameRenderer`.
private final class CountingRenderer: FrameRenderer {
    let compressions = Locked(0)
    private let renderer = WireFrameRenderer()

    func render(_ json: [UInt8], seq: UInt64?, variant: WireFrameRenderer.Variant) -> LiveFrame {
        let frame = renderer.render(json, seq: seq, variant: variant)
        switch variant {
        case .deflate, .events(_, isCompressed: true): compressions.withLock { $0 += 1 }
        case .plain, .events: break
        }
        return frame
    }

    func size(of frame: LiveFrame) -> Int { renderer.size(of: frame) }
}

@Suite struct CompressionsPerStepTests {
    @Test func `A step is compressed at most twice for 16 sets of deflate parameters`() async throws {
        let renderer = CountingRenderer()
        let broadcast = BroadcastManager(renderer: renderer)
        let store = MemoryStore(limits: StoreLimits())
        var queues: [SubscriberQueue<LiveFrame>] = []
        var places: [SubscriberRegistry<CountingRenderer>.Place] = []
        for bits in 8...15 {
            for clientNoContextTakeover in [false, true] {
                let parameters = DeflateParameters(
                    serverMaxWindowBits: bits, clientNoContextTakeover: clientNoContextTakeover)
                let queue = SubscriberQueue<LiveFrame>(limits: QueueLimits()) {}
                let place = try broadcast.subscribers.admit()
                place.begin(
                    queue, variant: WireFrameRenderer.Variant(parameters), connection: ObjectIdentifier(queue))
                queues.append(queue)
                places.append(place)
            }
        }
        for number in 1...2 {
            for event in await store.append(try Payload.step(number)).events { await broadcast.publish(event) }
        }
        #expect(renderer.compressions.withLock { $0 } == 2 * 2)
        #expect(queues.allSatisfy { $0.take() != nil && $0.take() != nil && $0.take() == nil })
        for place in places { place.end() }
    }

    @Test func `A step is compressed once for all event streams of one kind`() async throws {
        let renderer = CountingRenderer()
        let broadcast = BroadcastManager(renderer: renderer)
        let store = MemoryStore(limits: StoreLimits())
        let queues = (0..<20).map { _ in SubscriberQueue<LiveFrame>(limits: QueueLimits()) {} }
        let places = try queues.map { _ in try broadcast.subscribers.admit() }
        for (index, place) in places.enumerated() {
            place.begin(
                queues[index], variant: .events(hasIDs: index % 2 == 0, isCompressed: true),
                connection: ObjectIdentifier(queues[index]))
        }
        for event in await store.append(try Payload.step(1)).events { await broadcast.publish(event) }
        #expect(renderer.compressions.withLock { $0 } == 2)
        #expect(queues.allSatisfy { $0.take() != nil && $0.take() == nil })
        for place in places { place.end() }
    }
}
