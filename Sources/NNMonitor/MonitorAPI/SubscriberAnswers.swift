import Foundations
import HTTPService
import MonitorCore
import NIOCore
import WebSocket

/// Prepares the answers of one subscriber: reads the store and reserves the memory of the answer.
struct SubscriberAnswers: Sendable {
    /// The result of preparing the listing.
    enum Listing {
        /// The frame, and its memory, which is reserved until the frame is sent.
        case ready(ByteBuffer, ResponseReservation)
        /// The store failed.
        case failed
        /// There is no memory for it: the error message to send.
        case busy(ByteBuffer)
    }

    /// The result of preparing a history.
    enum History {
        /// The history message and the structures before it.
        case ready(PreparedHistory)
        /// The message to send instead.
        case refused(ByteBuffer)
    }

    /// A history that can be sent.
    struct PreparedHistory: Sendable {
        /// A step of each structure that the steps need and the client does not have.
        let structures: [StepRecord]
        /// The message, from its beginning.
        let encoder: HistoryEncoder
        /// The sequence number of the last change that the history contains.
        let sequence: UInt64
        /// The memory of the answer, which the encoder keeps reserved.
        let reservation: ResponseReservation
        /// Where to report the progress of the client.
        var progress: ResponseReservation.Progress { reservation.progress }
    }

    let monitor: Monitor
    let deflate: DeflateParameters?
    let access: AccessGrant?
    let peer: String

    /// The first message: all runs. Removes the messages from the queue that it contains.
    func listing(_ queue: SubscriberQueue<LiveFrame>) async -> Listing {
        do {
            let (runs, sequence) = try await monitor.store.listing()
            let reservation = try monitor.answers.reserve(
                AnswerMemory.whole(AnswerMemory.listing(runs.count)), access: access, peer: peer)
            queue.beginAfter(sequence, runID: nil)
            let frame = WebSocketFrameEncoder(deflate: deflate).text(SubscriberMessages.initialRuns(runs))
            return .ready(frame, reservation)
        } catch let error as StoreError {
            monitor.failures.note(error, during: .listing)
            return .failed
        } catch {
            return .busy(SubscriberMessages.error(ResponseBudget.busyMessage))
        }
    }

    /// The history of a run. Removes the messages from the queue that it contains. A refused subscription changes
    /// nothing of what the client watches.
    ///
    /// - Parameters:
    ///   - subscription: what the client asks for.
    ///   - queue: the subscriber's queue.
    ///   - place: the subscriber.
    ///   - structures: the structures whose layers the client has.
    /// - Returns: the history, or the message to send instead.
    func history(
        _ subscription: RunSubscription, _ queue: SubscriberQueue<LiveFrame>, _ place: Subscribers.Place,
        _ structures: SentStructures
    ) async -> History {
        do {
            guard let history = try await prepare(subscription, structures) else { return Self.unknown(subscription) }
            guard subscription.isAdded else { return ready(history, subscription, queue) }
            return try await added(subscription, queue, place, structures, history.reservation)
        } catch let error as StoreError {
            monitor.failures.note(error, during: .history)
            return .refused(SubscriberMessages.error(StoreFailures.message))
        } catch {
            return .refused(SubscriberMessages.error(ResponseBudget.busyMessage))
        }
    }

    /// Adds the run to what the client watches. The history is then read again: steps that came after the first reading
    /// were not sent in the new form.
    private func added(
        _ subscription: RunSubscription, _ queue: SubscriberQueue<LiveFrame>, _ place: Subscribers.Place,
        _ structures: SentStructures, _ reservation: ResponseReservation
    ) async throws -> History {
        let added = await monitor.broadcast.add(subscription.runID, form: subscription.form, to: place)
        do {
            if let history = try await prepare(subscription, structures, reservation) {
                return ready(history, subscription, queue)
            }
        } catch {
            if let added { await monitor.broadcast.undo(added, of: place) }
            throw error
        }
        if let added { await monitor.broadcast.undo(added, of: place) }
        return Self.unknown(subscription)
    }

    private func ready(
        _ history: PreparedHistory, _ subscription: RunSubscription, _ queue: SubscriberQueue<LiveFrame>
    ) -> History {
        queue.beginAfter(history.sequence, runID: subscription.runID)
        return .ready(history)
    }

    /// Reads the run, and reserves the memory of the answer.
    ///
    /// - Parameters:
    ///   - subscription: what the client asks for.
    ///   - structures: the structures whose layers the client has.
    ///   - reservation: the reservation of an earlier reading, which grows if it is too small.
    /// - Returns: the history; `nil` if there is no such run.
    /// - Throws: `StoreError` if the run cannot be read, `HTTPError` if there is no memory.
    private func prepare(
        _ subscription: RunSubscription, _ structures: SentStructures, _ reservation: ResponseReservation? = nil
    ) async throws -> PreparedHistory? {
        guard let history = try await monitor.history(subscription) else { return nil }
        var encoder = HistoryEncoder.message(history, form: subscription.form)
        try await encoder.prefetch()
        let records = try await newStructures(history, subscription.form, structures)
        let memory = AnswerMemory.message(
            snapshot: history.memory, piece: HistoryMessage.expectedPiece(encoder, isCompressed: deflate != nil),
            isCompressed: deflate != nil, structures: records.count,
            largestStructure: records.map { LiveMessages.largestStructureSize($0, of: history.id) }.max() ?? 0)
        let reserved =
            try reservation
            ?? monitor.answers.reserve(memory, access: access, peer: peer, retained: history.retained)
        guard reserved.grow(to: memory) else { throw ResponseBudget.busy }
        encoder.reservation = reserved
        return PreparedHistory(
            structures: records, encoder: encoder, sequence: history.sequence, reservation: reserved)
    }

    private static func unknown(_ subscription: RunSubscription) -> History {
        .refused(SubscriberMessages.error("Run '\(subscription.runID)' not found"))
    }

    /// A step of each structure that the client does not have, if its steps have only their identifiers.
    private func newStructures(
        _ history: RunHistory, _ form: LiveForm, _ structures: SentStructures
    ) async throws(StoreError) -> [StepRecord] {
        guard case .columns(let form) = form, form.isStructureShared else { return [] }
        return try await history.firstSteps(ofNewStructures: structures.ids)
    }
}

extension Monitor {
    /// The steps of a run that a subscription asks for.
    ///
    /// - Parameter subscription: the run, the last `seq` that the client has, and the limit of steps.
    /// - Returns: the history; `nil` if there is no such run.
    /// - Throws: `StoreError` if it cannot be read.
    func history(_ subscription: RunSubscription) async throws(StoreError) -> RunHistory? {
        var history: RunHistory?
        if let seq = subscription.sinceSeq {
            history = try await store.changes(of: subscription.runID, after: seq, createdAt: subscription.createdAt)
                .map(RunHistory.init)
        } else {
            history = try await store.snapshot(of: subscription.runID).map(RunHistory.init)
        }
        try await history?.limit(to: subscription.limit)
        return history
    }
}
