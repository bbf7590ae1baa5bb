/// Makes the frame that goes over the wire from a message's JSON.
///
/// The API layer gives the real one, which knows WebSocket frames and compression; the core knows neither.
package protocol FrameRenderer: Sendable {
    /// What distinguishes the bytes that two subscribers get for the same message, such as compression parameters.
    associatedtype Variant: Hashable, Sendable
    /// The ready bytes.
    associatedtype Frame: Sendable

    /// Renders a message for all subscribers of one variant.
    func render(_ json: [UInt8], variant: Variant) -> Frame

    /// Bytes of a frame on the wire.
    func size(of frame: Frame) -> Int
}

/// Tells every subscriber of each stored step and each removed run, in the order in which the store accepted them.
///
/// A message is encoded once, and rendered (compressed, framed) once per variant in use. Each subscriber has a bounded
/// queue of its own, so a slow one holds up nobody.
package actor BroadcastManager<Renderer: FrameRenderer> {
    private struct Subscriber {
        let queue: SubscriberQueue<Renderer.Frame>
        let variant: Renderer.Variant
    }

    private let renderer: Renderer
    private var subscribers: [UInt64: Subscriber] = [:]
    private var lastSubscriber: UInt64 = 0
    private var resequencer = Resequencer<StoreEvent>()
    private var writer = JSONWriter()

    package init(renderer: Renderer) { self.renderer = renderer }

    /// Subscribers now.
    package var subscriberCount: Int { subscribers.count }

    /// Adds a subscriber: every event whose turn comes after this is put into its queue.
    ///
    /// - Returns: a ticket for `unsubscribe`.
    package func subscribe(_ queue: SubscriberQueue<Renderer.Frame>, variant: Renderer.Variant) -> UInt64 {
        lastSubscriber += 1
        subscribers[lastSubscriber] = Subscriber(queue: queue, variant: variant)
        return lastSubscriber
    }

    /// Removes a subscriber.
    package func unsubscribe(_ ticket: UInt64) { subscribers.removeValue(forKey: ticket) }

    /// Hands over a stored step (see `publish(_: StoreEvent)`).
    package func publish(_ step: StoredStep) { publish(.stored(step)) }

    /// Hands over an event. Every event that the store numbered must come here exactly once, in any order.
    ///
    /// When it returns, the event is in every queue, or waits for one accepted earlier that is still on its way here.
    package func publish(_ event: StoreEvent) {
        resequencer.accept(event, sequence: event.sequence) { send($0) }
    }

    private func send(_ event: StoreEvent) {
        guard !subscribers.isEmpty else { return }
        encode(event)
        var frames: [Renderer.Variant: Renderer.Frame] = [:]
        for subscriber in subscribers.values {
            let frame: Renderer.Frame
            if let made = frames[subscriber.variant] {
                frame = made
            } else {
                frame = renderer.render(writer.bytes, variant: subscriber.variant)
                frames[subscriber.variant] = frame
            }
            subscriber.queue.offer(
                frame, bytes: renderer.size(of: frame), runID: event.runID, sequence: event.sequence)
        }
    }

    /// Writes the message of an event.
    private func encode(_ event: StoreEvent) {
        writer.removeAll()
        switch event {
        case .stored(let step):
            writer.literal("{\"type\":\"new_metrics\",\"run_id\":")
            writer.string(step.runID)
            writer.literal(",\"data\":")
            StepEncoder.append(step.record, to: &writer)
        case .removed(let run):
            writer.literal("{\"type\":\"run_deleted\",\"run_id\":")
            writer.string(run.runID)
        }
        writer.byte(UInt8(ascii: "}"))
    }
}
