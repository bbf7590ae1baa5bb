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
        if variant != .plain { compressions.withLock { $0 += 1 } }
        return renderer.render(json, seq: seq, variant: variant)
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
}
