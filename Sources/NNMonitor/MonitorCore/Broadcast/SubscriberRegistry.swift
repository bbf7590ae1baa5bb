import Foundations

/// The subscribers, and the limit on their number.
///
/// A subscriber is counted from its admission, before its handshake is answered, until its connection has closed. Once
/// its connection is set up, its queue gets every event.
package final class SubscriberRegistry<Renderer: FrameRenderer>: Sendable {
    /// A subscriber whose connection is set up.
    struct Subscriber {
        let queue: SubscriberQueue<Renderer.Frame>
        private(set) var interest: Interest

        init(queue: SubscriberQueue<Renderer.Frame>, interest: Interest) {
            self.queue = queue
            self.interest = interest
        }

        mutating func changeInterest(_ change: (inout Interest) -> Void, answer: Renderer.Frame?, bytes: Int) {
            change(&interest)
            if let answer { queue.append(answer: answer, bytes: bytes) }
        }

        mutating func undo(_ added: AddedRun) {
            let (form, before) = (interest.form(of: added.run), added.before.form(of: added.run))
            interest = added.before
            if form != before { queue.remove(added.run, after: added.sequence, isGap: before != nil) }
        }
    }

    typealias Queues = [Renderer.Variant: [ObjectIdentifier: Subscriber]]

    private struct State {
        var count = 0
        var isClosed = false
        var queues: Queues = [:]
    }

    /// Why a subscriber is not admitted.
    package enum Refusal: Error, Equatable, Sendable {
        /// There are as many subscribers as the limit allows.
        case full
        /// The server stops.
        case closed
    }

    private let limit: Int
    private let state = Locked(State())

    /// - Parameter limit: the largest number of subscribers.
    init(limit: Int) { self.limit = limit }

    /// The number of admitted subscribers.
    package var count: Int { state.withLock { $0.count } }

    /// The queues of the subscribers whose connections are set up, by the frames that they get.
    var queues: Queues { state.withLock { $0.queues } }

    /// Whether no queue gets events.
    var isUnwatched: Bool { state.withLock { $0.queues.isEmpty } }

    /// Whether a subscriber gets runs in the form `runs`.
    package var showsRuns: Bool {
        state.withLock { $0.queues.values.contains { $0.values.contains { $0.interest.showsRuns } } }
    }

    /// Whether a connection that is set up belongs to a subscriber.
    ///
    /// - Parameter connection: the identity that was passed to `Place.begin`.
    /// - Returns: whether it is a subscriber's.
    package func contains(_ connection: ObjectIdentifier) -> Bool {
        state.withLock { state in state.queues.values.contains { $0[connection] != nil } }
    }

    /// Counts a subscriber, if the limit permits.
    ///
    /// - Returns: its place, which ends with `Place.end` or when it is released.
    /// - Throws: why it is not admitted.
    package func admit() throws(Refusal) -> Place {
        try state.withLock { (state) throws(Refusal) in
            if state.isClosed { throw .closed }
            guard state.count < limit else { throw .full }
            state.count += 1
        }
        return Place(in: self)
    }

    /// Admits no more subscribers: the server stops.
    package func close() { state.withLock { $0.isClosed = true } }

    /// One subscriber's entry in the registry.
    package final class Place: Sendable {
        private enum Phase {
            case admitted
            case receiving(Renderer.Variant, ObjectIdentifier)
            case ended
        }

        private let registry: SubscriberRegistry
        private let phase = Locked(Phase.admitted)

        fileprivate init(in registry: SubscriberRegistry) { self.registry = registry }

        deinit { end() }

        /// Passes every event that is delivered from now on to a queue. Called at most once.
        ///
        /// - Parameters:
        ///   - queue: the subscriber's queue.
        ///   - variant: which frames it gets.
        ///   - connection: the identity of its connection.
        ///   - interest: which events it gets.
        package func begin(
            _ queue: SubscriberQueue<Renderer.Frame>, variant: Renderer.Variant, connection: ObjectIdentifier,
            interest: Interest = .all
        ) {
            phase.withLock { phase in
                guard case .admitted = phase else { return }
                phase = .receiving(variant, connection)
                registry.state.withLock { state in
                    state.queues[variant, default: [:]][connection] = Subscriber(queue: queue, interest: interest)
                }
            }
        }

        /// Which events the queue gets; `nil` before `begin` and after `end`.
        var interest: Interest? {
            phase.withLock { phase in
                guard case .receiving(let variant, let connection) = phase else { return nil }
                return registry.state.withLock { $0.queues[variant]?[connection]?.interest }
            }
        }

        /// Removes a run that was added. Called by `BroadcastManager`, between two events.
        func undo(_ added: AddedRun) {
            phase.withLock { phase in
                guard case .receiving(let variant, let connection) = phase else { return }
                registry.state.withLock { $0.queues[variant]?[connection]?.undo(added) }
            }
        }

        /// Changes which events the queue gets, and appends the answer to the request for it.
        ///
        /// Called by `BroadcastManager`, between two events.
        func changeInterest(_ change: (inout Interest) -> Void, answer: Renderer.Frame?, bytes: Int) {
            phase.withLock { phase in
                guard case .receiving(let variant, let connection) = phase else { return }
                registry.state.withLock { state in
                    state.queues[variant]?[connection]?.changeInterest(change, answer: answer, bytes: bytes)
                }
            }
        }

        /// Frees the place: the connection has closed. Idempotent.
        package func end() {
            phase.withLock { phase in
                switch phase {
                case .admitted:
                    registry.state.withLock { $0.count -= 1 }
                case .receiving(let variant, let connection):
                    registry.state.withLock { state in
                        state.count -= 1
                        state.queues[variant]?[connection] = nil
                        if state.queues[variant]?.isEmpty == true { state.queues[variant] = nil }
                    }
                case .ended: break
                }
                phase = .ended
            }
        }
    }
}
