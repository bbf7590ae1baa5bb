import Foundations

/// Turns a message's JSON into the bytes that go over the wire.
///
/// The API layer implements it with WebSocket frames and compression; MonitorCore knows neither.
package protocol FrameRenderer: Sendable {
    /// Subscribers with equal variants get the same bytes for a message. For example: compression parameters.
    associatedtype Variant: Hashable, Sendable
    /// The bytes of a message as they are sent.
    associatedtype Frame: Sendable

    /// Renders a message for all subscribers of one variant.
    ///
    /// - Parameters:
    ///   - json: the message, UTF-8.
    ///   - variant: what the subscribers have in common.
    /// - Returns: the frame, which is shared between them.
    func render(_ json: [UInt8], variant: Variant) -> Frame

    /// The size of a frame on the wire, in bytes.
    func size(of frame: Frame) -> Int
}

/// Sends every change in the store to every subscriber, in the store's order.
///
/// A message is encoded once, and rendered (compressed, framed) once for each variant in use. Each subscriber has its
/// own bounded queue, so a slow subscriber delays no other.
package actor BroadcastManager<Renderer: FrameRenderer> {
    private let renderer: Renderer
    /// The store's events, on their way into their order. Behind a lock, so that `skipIfUnwatched` needs no hop to the
    /// actor.
    private let order: Locked<Resequencer<StoreEvent>>
    /// The subscribers.
    package nonisolated let subscribers: SubscriberRegistry<Renderer>
    private var writer = JSONWriter()

    /// - Parameters:
    ///   - renderer: makes the frames.
    ///   - maximumSubscribers: the largest number of subscribers.
    ///   - lastSequence: `MetricsStoring.lastSequence`; the first event has the number after it.
    package init(renderer: Renderer, maximumSubscribers: Int = .max, lastSequence: UInt64 = 0) {
        self.renderer = renderer
        subscribers = SubscriberRegistry(limit: maximumSubscribers)
        order = Locked(Resequencer(first: lastSequence + 1))
    }

    /// Records an event without delivering it, if there are no subscribers.
    ///
    /// A subscriber that joins afterwards misses nothing: the event is stored, and so are the later ones that were held
    /// back for it. They are in the listing that the subscriber gets first.
    ///
    /// - Parameter event: an event of the store.
    /// - Returns: `true` if it was recorded; if `false`, the caller must pass it to `publish`.
    package nonisolated func skipIfUnwatched(_ event: StoreEvent) -> Bool {
        order.withLock { order in
            guard subscribers.isUnwatched else { return false }
            order.accept(event, sequence: event.sequence) { _ in }
            return true
        }
    }

    /// Delivers an event to all subscribers, after all events with lower sequence numbers.
    ///
    /// Every sequence number of the store must be passed to `publish` or `skipIfUnwatched` exactly once, in any order.
    /// When this returns, the event is in every queue, or is held back until an earlier one arrives.
    ///
    /// - Parameter event: an event of the store.
    package func publish(_ event: StoreEvent) {
        let due = order.withLock { order in
            var due: [StoreEvent] = []
            order.accept(event, sequence: event.sequence) { due.append($0) }
            return due
        }
        for event in due { send(event) }
    }

    private func send(_ event: StoreEvent) {
        let variants = subscribers.queues
        guard !variants.isEmpty, let runID = encode(event) else { return }
        for (variant, queues) in variants {
            let frame = renderer.render(writer.bytes, variant: variant)
            let bytes = renderer.size(of: frame)
            for queue in queues.values { queue.offer(frame, bytes: bytes, runID: runID, sequence: event.sequence) }
        }
    }

    /// Writes the message of an event into `writer`.
    ///
    /// - Returns: the run that it concerns; `nil` if the event has no message.
    private func encode(_ event: StoreEvent) -> RunID? {
        writer.removeAll()
        let runID: RunID
        switch event {
        case .stored(let step):
            runID = step.runID
            writer.literal("{\"type\":\"new_metrics\",\"run_id\":")
            writer.string(step.runID.text)
            writer.literal(",\"data\":")
            StepEncoder.append(step.record, to: &writer)
            writer.literal(",\"seq\":")
            writer.integer(Int64(step.record.seq))
        case .removed(let run):
            runID = run.runID
            writer.literal("{\"type\":\"run_deleted\",\"run_id\":")
            writer.string(run.runID.text)
            writer.literal(",\"reason\":")
            writer.string(run.reason.name)
        case .void:
            return nil
        }
        writer.byte(UInt8(ascii: "}"))
        return runID
    }
}
