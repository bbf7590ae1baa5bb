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
    /// Subscribers that get the same frames and are woken on the same event loop.
    fileprivate struct SubscriberGroup {
        /// What they have in common.
        struct Key: Hashable {
            let variant: Renderer.Variant
            let loopID: ObjectIdentifier?
        }

        let waker: (any QueueWaker)?
        var queues: [UInt64: SubscriberQueue<Renderer.Frame>] = [:]
    }

    /// Identifies a subscriber for `unsubscribe`.
    package struct Ticket: Sendable {
        fileprivate let group: SubscriberGroup.Key
        fileprivate let number: UInt64
    }

    /// The store's events, on their way into their order.
    private struct EventOrder {
        var resequencer: Resequencer<StoreEvent>
        var isWatched = false
    }

    private let renderer: Renderer
    /// Behind a lock, so that `skipIfUnwatched` needs no hop to the actor.
    private let order: Locked<EventOrder>
    private var groups: [SubscriberGroup.Key: SubscriberGroup] = [:]
    private var lastSubscriber: UInt64 = 0
    private var writer = JSONWriter()

    /// - Parameters:
    ///   - renderer: makes the frames.
    ///   - lastSequence: `MetricsStoring.lastSequence`; the first event has the number after it.
    package init(renderer: Renderer, lastSequence: UInt64 = 0) {
        self.renderer = renderer
        order = Locked(EventOrder(resequencer: Resequencer(first: lastSequence + 1)))
    }

    /// The number of subscribers.
    package var subscriberCount: Int { groups.values.reduce(0) { $0 + $1.queues.count } }

    /// Adds a subscriber. Its queue gets every event that is delivered from now on.
    ///
    /// - Parameters:
    ///   - queue: the subscriber's queue.
    ///   - variant: which frames it gets.
    /// - Returns: a ticket for `unsubscribe`.
    package func subscribe(_ queue: SubscriberQueue<Renderer.Frame>, variant: Renderer.Variant) -> Ticket {
        lastSubscriber += 1
        let key = SubscriberGroup.Key(variant: variant, loopID: queue.waker?.loopID)
        groups[key, default: SubscriberGroup(waker: queue.waker)].queues[lastSubscriber] = queue
        order.withLock { $0.isWatched = true }
        return Ticket(group: key, number: lastSubscriber)
    }

    /// Removes a subscriber.
    ///
    /// - Parameter ticket: what `subscribe` returned.
    package func unsubscribe(_ ticket: Ticket) {
        groups[ticket.group]?.queues[ticket.number] = nil
        if groups[ticket.group]?.queues.isEmpty == true { groups[ticket.group] = nil }
        let isWatched = !groups.isEmpty
        order.withLock { $0.isWatched = isWatched }
    }

    /// Records an event without delivering it, if there are no subscribers.
    ///
    /// - Parameter event: an event of the store.
    /// - Returns: `true` if it was recorded; if `false`, the caller must pass it to `publish`.
    package nonisolated func skipIfUnwatched(_ event: StoreEvent) -> Bool {
        order.withLock { order in
            guard !order.isWatched else { return false }
            order.resequencer.accept(event, sequence: event.sequence) { _ in }
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
            order.resequencer.accept(event, sequence: event.sequence) { due.append($0) }
            return due
        }
        for event in due { send(event) }
    }

    private func send(_ event: StoreEvent) {
        guard !groups.isEmpty, let runID = encode(event) else { return }
        var frames: [Renderer.Variant: Renderer.Frame] = [:]
        var wakeups = PendingWakeups()
        for (key, group) in groups {
            let frame = frames[key.variant] ?? renderer.render(writer.bytes, variant: key.variant)
            frames[key.variant] = frame
            let idle = offer(frame, of: runID, sequence: event.sequence, to: group)
            if let waker = group.waker { wakeups.add(idle, waker: waker) } else { for wake in idle { wake() } }
        }
        wakeups.wake()
    }

    /// Puts a frame into the queues of a group.
    ///
    /// - Returns: the wake-up calls of the queues whose consumers are idle.
    private func offer(
        _ frame: Renderer.Frame, of runID: RunID, sequence: UInt64, to group: SubscriberGroup
    ) -> [@Sendable () -> Void] {
        let bytes = renderer.size(of: frame)
        var idle: [@Sendable () -> Void] = []
        idle.reserveCapacity(group.queues.count)
        for queue in group.queues.values where queue.offer(frame, bytes: bytes, runID: runID, sequence: sequence) {
            idle.append(queue.wake)
        }
        return idle
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
