import Foundations

/// Turns a message's JSON into the bytes that go over the wire.
///
/// The API layer implements it with WebSocket frames, Server-Sent Events and compression; MonitorCore knows none of
/// them.
package protocol FrameRenderer: Sendable {
    /// Subscribers with equal variants get the same bytes for a message. For example: compression parameters.
    associatedtype Variant: Hashable, Sendable
    /// The bytes of a message as they are sent.
    associatedtype Frame: Sendable

    /// Renders a message for all subscribers of one variant.
    ///
    /// - Parameters:
    ///   - json: the message, UTF-8.
    ///   - seq: the number of the step in its run; `nil` for a message that is not a step.
    ///   - variant: what the subscribers have in common.
    /// - Returns: the frame, which is shared between them.
    func render(_ json: [UInt8], seq: UInt64?, variant: Variant) -> Frame

    /// The size of a frame on the wire, in bytes.
    func size(of frame: Frame) -> Int
}

/// Sends every change in the store to every subscriber, in the store's order.
///
/// A message is encoded once for each form in use, and rendered (compressed, framed) once for each form and variant.
/// Each subscriber has its own bounded queue, so a slow subscriber delays no other.
package actor BroadcastManager<Renderer: FrameRenderer> {
    /// Makes the frames.
    package nonisolated let renderer: Renderer
    /// The store's events, on their way into their order. Behind a lock, so that `skipIfUnwatched` needs no hop to the
    /// actor.
    private let order: Locked<Resequencer<StoreEvent>>
    /// The subscribers.
    package nonisolated let subscribers: SubscriberRegistry<Renderer>
    private var messages: EventMessages

    /// - Parameters:
    ///   - renderer: makes the frames.
    ///   - maximumSubscribers: the largest number of subscribers.
    ///   - lastSequence: `MetricsStoring.lastSequence`; the first event has the number after it.
    ///   - link: the prefix of links in alerts.
    package init(
        renderer: Renderer, maximumSubscribers: Int = .max, lastSequence: UInt64 = 0, link: RunLink = .none
    ) {
        messages = EventMessages(link: link)
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

    /// Records events without delivering them, if there are no subscribers; see `skipIfUnwatched(_:)` for one event.
    package nonisolated func skipIfUnwatched(_ events: [StoreEvent]) -> Bool {
        order.withLock { order in
            guard subscribers.isUnwatched else { return false }
            for event in events { order.accept(event, sequence: event.sequence) { _ in } }
            return true
        }
    }

    /// Delivers events in their order; see `publish(_:)` for one event.
    package func publish(_ events: [StoreEvent]) {
        for event in events { publish(event) }
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

    /// Changes which events a subscriber gets: none that was published before in the new form, none afterwards in the
    /// old one.
    ///
    /// - Parameters:
    ///   - place: the subscriber.
    ///   - answer: the answer to the request, between the last event of before and the first of afterwards.
    ///   - change: changes the interest.
    package func changeInterest(
        of place: SubscriberRegistry<Renderer>.Place, answer: Renderer.Frame? = nil,
        _ change: @Sendable (inout Interest) -> Void
    ) {
        place.changeInterest(change, answer: answer, bytes: answer.map(renderer.size) ?? 0)
    }

    /// Adds a run to what a subscriber watches: every event that is published from now on comes in the new form.
    ///
    /// - Parameters:
    ///   - run: the run.
    ///   - form: the form of its messages.
    ///   - place: the subscriber.
    /// - Returns: what `undo` needs; `nil` if the subscriber's connection is not set up, or has closed.
    package func add(
        _ run: RunID, form: LiveForm, to place: SubscriberRegistry<Renderer>.Place
    ) -> AddedRun? {
        let sequence = order.withLock { $0.lastSequence }
        return place.interest.map { before in
            place.changeInterest({ $0.add(run, form: form) }, answer: nil, bytes: 0)
            return AddedRun(run: run, before: before, sequence: sequence)
        }
    }

    /// Removes a run that was added. Messages that came for it meanwhile in the new form are removed as well; they
    /// count as skipped if the subscriber would have got them in another form.
    package func undo(_ added: AddedRun, of place: SubscriberRegistry<Renderer>.Place) { place.undo(added) }

    private func send(_ event: StoreEvent) {
        let variants = subscribers.queues
        guard !variants.isEmpty, let runID = event.runID else { return }
        messages.begin(event)
        for (variant, subscribers) in variants {
            var frames = Frames(renderer, variant, seq: event.seq)
            for subscriber in subscribers.values {
                guard let kind = MessageKind(event, for: subscriber.interest) else { continue }
                let frame = frames.frame(kind, of: &messages)
                subscriber.queue.offer(
                    frame.frame, layers: frame.layers, bytes: frame.bytes, runID: runID, sequence: event.sequence,
                    isInHistory: event.isInHistory)
            }
        }
    }

    /// The frames of one event for one variant.
    private struct Frames {
        struct Rendered {
            let frame: Renderer.Frame
            let layers: LayerFrame<Renderer.Frame>?
            /// The size of the frame. The layers are shared by many steps.
            let bytes: Int
        }

        private let renderer: Renderer
        private let variant: Renderer.Variant
        private let seq: UInt64?
        private var frames: [MessageKind: Rendered] = [:]
        /// The frame of the subscriber before, which most subscribers share.
        private var last: (kind: MessageKind, frame: Rendered)?

        init(_ renderer: Renderer, _ variant: Renderer.Variant, seq: UInt64?) {
            self.renderer = renderer
            self.variant = variant
            self.seq = seq
        }

        mutating func frame(_ kind: MessageKind, of messages: inout EventMessages) -> Rendered {
            if let last, last.kind == kind { return last.frame }
            let frame = frames[kind] ?? render(kind, of: &messages)
            frames[kind] = frame
            last = (kind, frame)
            return frame
        }

        private func render(_ kind: MessageKind, of messages: inout EventMessages) -> Rendered {
            let frame = renderer.render(messages.json(kind), seq: seq, variant: variant)
            let layers = messages.layers(kind).map {
                LayerFrame(id: $0.id, frame: renderer.render($0.json, seq: nil, variant: variant))
            }
            return Rendered(frame: frame, layers: layers, bytes: renderer.size(of: frame))
        }
    }
}
