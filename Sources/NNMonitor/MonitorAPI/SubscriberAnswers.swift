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
        /// The message and what comes before it.
        case ready(PreparedHistory)
        /// The message to send instead.
        case refused(ByteBuffer)
    }

    /// A history that can be sent.
    struct PreparedHistory: Sendable {
        /// The structures that its steps need and the client does not have.
        let layers: [LayerFrame<LiveFrame>]
        /// The message, from its beginning.
        let encoder: HistoryEncoder
        /// Where to report the progress of the client.
        let progress: ResponseReservation.Progress
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

    /// The history of a run. Removes the messages from the queue that it contains.
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
        let runID = subscription.runID
        do {
            guard try await monitor.store.snapshot(of: runID) != nil else { return Self.unknown(runID) }
            // Before the history is read: a later step is then sent in the new form.
            if subscription.isAdded {
                await monitor.broadcast.changeInterest(of: place) { $0.add(runID, form: subscription.form) }
            }
            guard let history = try await monitor.history(subscription) else { return Self.unknown(runID) }
            var encoder = HistoryEncoder.message(history, form: subscription.form)
            try await encoder.prefetch()
            let piece = HistoryMessage.expectedPiece(encoder, isCompressed: deflate != nil)
            let reservation = try monitor.answers.reserve(
                AnswerMemory.message(snapshot: history.memory, piece: piece, isCompressed: deflate != nil),
                access: access, peer: peer, retained: history.retained)
            encoder.reservation = reservation
            let layers = try await layers(history, subscription.form, structures)
            queue.beginAfter(history.sequence, runID: runID)
            return .ready(PreparedHistory(layers: layers, encoder: encoder, progress: reservation.progress))
        } catch let error as StoreError {
            monitor.failures.note(error, during: .history)
            return .refused(SubscriberMessages.error(StoreFailures.message))
        } catch {
            return .refused(SubscriberMessages.error(ResponseBudget.busyMessage))
        }
    }

    private static func unknown(_ runID: RunID) -> History {
        .refused(SubscriberMessages.error("Run '\(runID)' not found"))
    }

    /// The layers of the structures that the client does not have, if its steps have only their identifiers.
    private func layers(
        _ history: RunHistory, _ form: LiveForm, _ structures: SentStructures
    ) async throws(StoreError) -> [LayerFrame<LiveFrame>] {
        guard case .columns(let form) = form, form.isStructureShared else { return [] }
        let encoder = WebSocketFrameEncoder(deflate: deflate)
        return try await history.firstSteps(ofNewStructures: structures.ids).map { record in
            LayerFrame(
                id: record.structure,
                frame: LiveFrame(encoder.text(SubscriberMessages.structure(record, of: history.id))))
        }
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
