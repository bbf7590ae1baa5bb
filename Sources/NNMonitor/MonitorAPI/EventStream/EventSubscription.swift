import Foundations
import HTTPService
import MonitorCore
import NIOCore

/// Missed steps that are ready to be sent.
struct MissedSteps: Sendable {
    /// Their messages, from the first one.
    var messages: HistoryMessages
    /// The memory of the answer.
    let reservation: ResponseReservation
    /// The memory that the run's snapshot needs beside its steps.
    let memory: Int
}

/// Where an event stream begins. It is taken once, so that the response, which lives as long as the stream, does not
/// keep the missed steps.
final class EventStart: Sendable {
    private let content: Locked<(steps: MissedSteps?, position: EventSubscription.Position?)>

    init(_ steps: MissedSteps? = nil, _ position: EventSubscription.Position? = nil) {
        content = Locked((steps, position))
    }

    /// The missed steps, and where the client can resume from when they are sent; `nil` where the client watches all
    /// runs, or gets no steps.
    func take() -> (steps: MissedSteps?, position: EventSubscription.Position?) {
        content.withLock { content in
            defer { content = (nil, nil) }
            return content
        }
    }
}

/// A client's subscription over Server-Sent Events: its place among the subscribers, its queue, and how it reads the
/// steps that it missed.
final class EventSubscription: Sendable {
    /// The size of a piece of missed steps, in bytes of text.
    static let pieceSize = 64 << 10

    /// What the client can resume from: the run as it was when the client got its last step.
    struct Position: Sendable {
        /// The run's `created_at`; `nil` if the client does not know it.
        var createdAt: String?
        /// The last step of the client.
        var seq: UInt64
    }

    let monitor: Monitor
    let wanted: EventRequest
    let variant: WireFrameRenderer.Variant
    let isCompressed: Bool
    let queue: SubscriberQueue<LiveFrame>
    let signal: EventSignal
    let access: AccessGrant?
    let connection: RequestConnection?
    private let place: Subscribers.Place
    private let peer: String
    private let isSecure: Bool

    /// - Parameters:
    ///   - monitor: the service.
    ///   - place: the subscriber's entry in the registry.
    ///   - wanted: what the client asks for.
    ///   - request: the request.
    init(_ monitor: Monitor, _ place: Subscribers.Place, _ wanted: EventRequest, _ request: HTTPRequest) {
        self.monitor = monitor
        self.place = place
        self.wanted = wanted
        isCompressed = request.acceptsGzip
        variant = .events(hasIDs: wanted.runID != nil, isCompressed: request.acceptsGzip)
        access = request.access
        connection = request.connection
        peer = request.peer
        isSecure = request.secure
        let signal = EventSignal()
        self.signal = signal
        let skipped = monitor.counters.messagesSkipped
        queue = SubscriberQueue(limits: monitor.configuration.queue, onSkip: skipped.add) { signal.raise(.messages) }
    }

    /// Subscribes to the broadcast, then reads what the client has missed.
    ///
    /// - Returns: where the stream begins.
    /// - Throws: `HTTPError` if there is no such run or no memory, `StoreError` if the run cannot be read.
    func begin() async throws -> EventStart {
        // Before the run is read, so that no event is missed in between.
        place.begin(
            queue, variant: variant, connection: connection?.id ?? ObjectIdentifier(queue), interest: wanted.interest)
        guard let subscription = wanted.subscription else { return EventStart() }
        guard let history = try await monitor.history(subscription) else {
            throw HTTPError.unknown(subscription.runID)
        }
        guard wanted.form != .runs else { return EventStart() }
        let position = Position(createdAt: history.createdAt.iso8601, seq: history.lastSeq)
        let steps = wanted.sinceSeq == nil ? nil : try await missed(history, SentStructures())
        queue.beginAfter(history.sequence, runID: subscription.runID)
        return EventStart(steps, position)
    }

    /// Reads what the client has missed because it reads too slowly. Removes the messages from the queue that it
    /// contains.
    ///
    /// - Parameters:
    ///   - position: the last step that was sent. The position after the missed steps is stored in it.
    ///   - structures: the structures whose layers the client has.
    /// - Returns: the missed steps; `nil` if the run was deleted; the queue has that message.
    /// - Throws: `HTTPError` if there is no memory, `StoreError` if the run cannot be read.
    func resume(_ position: inout Position, _ structures: SentStructures) async throws -> MissedSteps? {
        guard var subscription = wanted.subscription else { return nil }
        subscription.sinceSeq = position.seq
        subscription.createdAt = position.createdAt
        guard let history = try await monitor.history(subscription) else { return nil }
        let steps = try await missed(history, structures)
        queue.beginAfter(history.sequence, runID: subscription.runID)
        position = Position(createdAt: history.createdAt.iso8601, seq: history.lastSeq)
        return steps
    }

    private func missed(_ history: RunHistory, _ structures: SentStructures) async throws -> MissedSteps {
        let messages = try await HistoryMessages(history, form: wanted.form, structures: structures)
        let reservation = try monitor.answers.reserve(
            memory(history.memory, chunk: Self.pieceSize + messages.expectedMessage), access: access, peer: peer,
            retained: history.retained)
        return MissedSteps(messages: messages, reservation: reservation, memory: history.memory)
    }

    /// The memory that missed steps need at once, in bytes.
    ///
    /// - Parameters:
    ///   - snapshot: the memory of the run's snapshot beside its steps.
    ///   - chunk: the size of the text of the largest piece.
    /// - Returns: the bytes to reserve.
    func memory(_ snapshot: Int, chunk: Int) -> Int {
        AnswerMemory.history(snapshot: snapshot, chunk: chunk, isCompressed: isCompressed, isSecure: isSecure)
    }

    /// Ends the subscription: no more events are queued.
    func end() {
        queue.close()
        place.end()
    }
}
