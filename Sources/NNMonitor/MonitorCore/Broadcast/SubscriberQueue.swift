import DequeModule
import Foundations

/// The limits of a subscriber's queue.
package struct QueueLimits: Sendable, Equatable {
    /// The largest number of queued messages.
    package var messages: Int
    /// The largest size of all queued messages on the wire, in bytes.
    package var bytes: Int

    /// - Parameters:
    ///   - messages: the largest number of queued messages.
    ///   - bytes: the largest size of all queued messages on the wire, in bytes.
    package init(messages: Int = 256, bytes: Int = 16 << 20) {
        self.messages = messages
        self.bytes = bytes
    }
}

/// What a subscriber is sent next.
package enum QueueItem<Frame: Sendable>: Sendable {
    /// The frame of a step or of a removed run.
    case step(Frame)
    /// This many messages were dropped here, because the subscriber reads too slowly.
    case lagged(skipped: Int)
}

/// The bounded queue of one subscriber.
///
/// The broadcaster appends frames from any thread; the connection takes them on its event loop. Over a limit the oldest
/// frames are dropped, and the next item taken is a `lagged` item with their number. The connection takes nothing while
/// it sends an answer that contains steps (the listing, a history); `beginAfter` then removes the frames that the
/// answer already contains, so that the subscriber gets every step exactly once.
package final class SubscriberQueue<Frame: Sendable>: Sendable {
    private struct Entry {
        let frame: Frame
        let bytes: Int
        let runID: RunID
        let sequence: UInt64
    }

    private struct State {
        var entries: Deque<Entry> = []
        var bytes = 0
        var skipped = 0
        var isIdle = false
        var closed = false
        /// The subscriber already has all steps of this run (`nil`: of all runs) up to this sequence number.
        var floors: [(runID: RunID?, sequence: UInt64)] = []
    }

    private let state = Locked(State())
    private let limits: QueueLimits
    private let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - limits: the limits of the queue.
    ///   - wake: called, on any thread, when a frame arrives after `take` has returned `nil`.
    package init(limits: QueueLimits, wake: @escaping @Sendable () -> Void) {
        self.limits = limits
        self.wake = wake
    }

    /// Appends a frame, and wakes the consumer if it is idle.
    func offer(_ frame: Frame, bytes: Int, runID: RunID, sequence: UInt64) {
        let isIdle = state.withLock { state in
            guard !state.closed, !isKnown(runID, sequence, &state) else { return false }
            state.entries.append(Entry(frame: frame, bytes: bytes, runID: runID, sequence: sequence))
            state.bytes += bytes
            while state.entries.count > 1 && (state.entries.count > limits.messages || state.bytes > limits.bytes) {
                state.bytes -= state.entries.removeFirst().bytes
                state.skipped += 1
            }
            defer { state.isIdle = false }
            return state.isIdle
        }
        if isIdle { wake() }
    }

    /// Takes the next item.
    ///
    /// - Returns: the item; `nil` if the queue is empty, and `wake` is then called when that changes.
    package func take() -> QueueItem<Frame>? {
        state.withLock { state in
            if state.skipped > 0 {
                defer { state.skipped = 0 }
                return .lagged(skipped: state.skipped)
            }
            guard let first = state.entries.popFirst() else {
                state.isIdle = true
                return nil
            }
            state.bytes -= first.bytes
            return .step(first.frame)
        }
    }

    /// Drops the frames that a snapshot contains, queued ones and later ones.
    ///
    /// - Parameters:
    ///   - sequence: the sequence number of the snapshot.
    ///   - runID: the run of the snapshot; `nil` for all runs.
    package func beginAfter(_ sequence: UInt64, runID: RunID?) {
        state.withLock { state in
            state.floors.append((runID, sequence))
            state.entries.removeAll { entry in
                guard entry.sequence <= sequence && (runID == nil || runID == entry.runID) else { return false }
                state.bytes -= entry.bytes
                return true
            }
        }
    }

    /// Empties the queue for good: later frames are dropped.
    package func close() {
        state.withLock { state in
            state.closed = true
            state.entries.removeAll()
            state.bytes = 0
        }
    }

    /// Whether the subscriber already has this step. Sequence numbers only grow, so smaller floors can be dropped.
    private func isKnown(_ runID: RunID, _ sequence: UInt64, _ state: inout State) -> Bool {
        if state.floors.isEmpty { return false }
        state.floors.removeAll { $0.sequence < sequence }
        return state.floors.contains { $0.runID == nil || $0.runID == runID }
    }
}
