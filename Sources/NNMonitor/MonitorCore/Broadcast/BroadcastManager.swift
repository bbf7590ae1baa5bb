import Foundations

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
    /// The subscribers that get the same frames and are awake in the same place.
    fileprivate struct Lane {
        /// What they have in common.
        struct Kind: Hashable {
            let variant: Renderer.Variant
            let place: ObjectIdentifier?
        }

        let waker: (any QueueWaker)?
        var queues: [UInt64: SubscriberQueue<Renderer.Frame>] = [:]
    }

    /// Says which subscriber is to be removed.
    package struct Ticket: Sendable {
        fileprivate let kind: Lane.Kind
        fileprivate let number: UInt64
    }

    /// What the store's events pass, in their order.
    private struct Gate {
        var resequencer = Resequencer<StoreEvent>()
        var isWatched = false
    }

    private let renderer: Renderer
    /// Behind a lock: while nobody watches, nobody has to come to the actor.
    private let gate = Guarded(Gate())
    private var lanes: [Lane.Kind: Lane] = [:]
    private var lastSubscriber: UInt64 = 0
    private var writer = JSONWriter()

    package init(renderer: Renderer) { self.renderer = renderer }

    /// Subscribers now.
    package var subscriberCount: Int { lanes.values.reduce(0) { $0 + $1.queues.count } }

    /// Adds a subscriber: every event whose turn comes after this is put into its queue.
    ///
    /// - Returns: a ticket for `unsubscribe`.
    package func subscribe(_ queue: SubscriberQueue<Renderer.Frame>, variant: Renderer.Variant) -> Ticket {
        lastSubscriber += 1
        let kind = Lane.Kind(variant: variant, place: queue.waker?.place)
        lanes[kind, default: Lane(waker: queue.waker)].queues[lastSubscriber] = queue
        gate.withLock { $0.isWatched = true }
        return Ticket(kind: kind, number: lastSubscriber)
    }

    /// Removes a subscriber.
    package func unsubscribe(_ ticket: Ticket) {
        lanes[ticket.kind]?.queues[ticket.number] = nil
        if lanes[ticket.kind]?.queues.isEmpty == true { lanes[ticket.kind] = nil }
        let isWatched = !lanes.isEmpty
        gate.withLock { $0.isWatched = isWatched }
    }

    /// Lets an event pass when nobody watches.
    ///
    /// - Returns: whether it did; if not, the event must be handed to `publish`.
    package nonisolated func pass(_ event: StoreEvent) -> Bool {
        gate.withLock { gate in
            guard !gate.isWatched else { return false }
            gate.resequencer.accept(event, sequence: event.sequence) { _ in }
            return true
        }
    }

    /// Hands over a stored step (see `publish(_: StoreEvent)`).
    package func publish(_ step: StoredStep) { publish(.stored(step)) }

    /// Hands over an event. Every event that the store numbered must come here or pass exactly once, in any order.
    ///
    /// When it returns, the event is in every queue, or waits for one accepted earlier that is still on its way here.
    package func publish(_ event: StoreEvent) {
        let due = gate.withLock { gate in
            var due: [StoreEvent] = []
            gate.resequencer.accept(event, sequence: event.sequence) { due.append($0) }
            return due
        }
        for event in due { send(event) }
    }

    private func send(_ event: StoreEvent) {
        guard !lanes.isEmpty else { return }
        encode(event)
        var frames: [Renderer.Variant: Renderer.Frame] = [:]
        var sleepers = Sleepers()
        for (kind, lane) in lanes {
            let frame = frames[kind.variant] ?? renderer.render(writer.bytes, variant: kind.variant)
            frames[kind.variant] = frame
            let sleeping = offer(frame, of: event, to: lane)
            if let waker = lane.waker { sleepers.add(sleeping, waker: waker) } else { for wake in sleeping { wake() } }
        }
        sleepers.wake()
    }

    /// Puts a frame into the queues of a lane.
    ///
    /// - Returns: the consumers that sleep.
    private func offer(_ frame: Renderer.Frame, of event: StoreEvent, to lane: Lane) -> [@Sendable () -> Void] {
        let bytes = renderer.size(of: frame)
        var sleeping: [@Sendable () -> Void] = []
        sleeping.reserveCapacity(lane.queues.count)
        for queue in lane.queues.values
        where queue.offer(frame, bytes: bytes, runID: event.runID, sequence: event.sequence) {
            sleeping.append(queue.wake)
        }
        return sleeping
    }

    /// Writes the message of an event.
    private func encode(_ event: StoreEvent) {
        writer.removeAll()
        switch event {
        case .stored(let step):
            writer.literal("{\"type\":\"new_metrics\",\"run_id\":")
            writer.string(step.runID.text)
            writer.literal(",\"data\":")
            StepEncoder.append(step.record, to: &writer)
        case .removed(let run):
            writer.literal("{\"type\":\"run_deleted\",\"run_id\":")
            writer.string(run.runID.text)
            writer.literal(",\"reason\":")
            writer.string(run.reason.name)
        }
        writer.byte(UInt8(ascii: "}"))
    }
}
