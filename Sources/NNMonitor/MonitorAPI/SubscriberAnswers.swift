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
        /// The message, from its beginning, and where to report its progress.
        case ready(HistoryEncoder, ResponseReservation.Progress)
        /// The message to send instead.
        case refused(ByteBuffer)
    }

    let monitor: Monitor
    let deflate: DeflateParameters?
    let access: AccessGrant?
    let peer: String

    /// The first message: all runs. Removes the messages from the queue that it contains.
    func listing(_ queue: SubscriberQueue<ByteBuffer>) async -> Listing {
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
    func history(_ runID: RunID, _ form: StepForm, _ queue: SubscriberQueue<ByteBuffer>) async -> History {
        do {
            guard let snapshot = try await monitor.store.snapshot(of: runID) else {
                return .refused(SubscriberMessages.error("Run '\(runID)' not found"))
            }
            var encoder = HistoryEncoder.message(snapshot, form: form)
            try await encoder.prefetch()
            let piece = HistoryMessage.expectedPiece(encoder, isCompressed: deflate != nil)
            let reservation = try monitor.answers.reserve(
                AnswerMemory.message(snapshot: snapshot.memory, piece: piece, isCompressed: deflate != nil),
                access: access, peer: peer, retained: snapshot.retained)
            encoder.reservation = reservation
            queue.beginAfter(snapshot.sequence, runID: runID)
            return .ready(encoder, reservation.progress)
        } catch let error as StoreError {
            monitor.failures.note(error, during: .history)
            return .refused(SubscriberMessages.error(StoreFailures.message))
        } catch {
            return .refused(SubscriberMessages.error(ResponseBudget.busyMessage))
        }
    }
}
