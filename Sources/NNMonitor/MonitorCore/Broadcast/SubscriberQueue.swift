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
    /// The frame of an event or of an answer.
    case frame(Frame)
    /// The frame of a step, and before it that of its layers, unless this subscriber already has them.
    case step(Frame, layers: LayerFrame<Frame>)
    /// This many messages were dropped here, because the subscriber reads too slowly.
    case lagged(skipped: Int)
}

/// The message with the layers of steps that have only the identifier of their structure.
package struct LayerFrame<Frame: Sendable>: Sendable {
    /// The identifier in the steps.
    package let id: StructureID
    /// The message.
    package let frame: Frame

    /// - Parameters:
    ///   - id: the identifier in the steps.
    ///   - frame: the message.
    package init(id: StructureID, frame: Frame) {
        self.id = id
        self.frame = frame
    }
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
        var layers: LayerFrame<Frame>?
        let bytes: Int
        /// The run of an event; `nil` for an answer, which is never dropped.
        var runID: RunID?
        var sequence: UInt64 = 0
        /// Whether a history of the run contains the event.
        var isInHistory = true
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
    private let onSkip: @Sendable (Int) -> Void
    private let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - limits: the limits of the queue.
    ///   - onSkip: called, on any thread and under the queue's lock, with the number of messages that were dropped;
    ///     must not block, nor use the queue.
    ///   - wake: called, on any thread, when a frame arrives after `take` has returned `nil`.
    package init(
        limits: QueueLimits, onSkip: @escaping @Sendable (Int) -> Void = { _ in }, wake: @escaping @Sendable () -> Void
    ) {
        self.limits = limits
        self.onSkip = onSkip
        self.wake = wake
    }

    /// Appends a frame, and wakes the consumer if it is idle.
    func offer(
        _ frame: Frame, layers: LayerFrame<Frame>? = nil, bytes: Int, runID: RunID, sequence: UInt64,
        isInHistory: Bool = true
    ) {
        append(
            Entry(
                frame: frame, layers: layers, bytes: bytes, runID: runID, sequence: sequence, isInHistory: isInHistory))
    }

    /// Appends the answer to a request, and wakes the consumer if it is idle. It is never dropped: the number of
    /// answers is bounded by the client's requests, which are handled one at a time.
    func append(answer frame: Frame, bytes: Int) { append(Entry(frame: frame, bytes: bytes)) }

    private func append(_ entry: Entry) {
        let isIdle = state.withLock { state in
            if state.closed { return false }
            if isKnown(entry, &state) { return false }
            state.entries.append(entry)
            state.bytes += entry.bytes
            dropOldest(&state)
            defer { state.isIdle = false }
            return state.isIdle
        }
        if isIdle { wake() }
    }

    /// Drops the oldest events until the limits are met. The newest entry stays, and so do answers.
    private func dropOldest(_ state: inout State) {
        var skipped = 0
        var index = 0
        while index < state.entries.count - 1,
            state.entries.count > limits.messages || state.bytes > limits.bytes
        {
            if state.entries[index].runID == nil {
                index += 1
                continue
            }
            state.bytes -= state.entries.remove(at: index).bytes
            skipped += 1
        }
        guard skipped > 0 else { return }
        state.skipped += skipped
        onSkip(skipped)
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
            return first.layers.map { .step(first.frame, layers: $0) } ?? .frame(first.frame)
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
                guard entry.sequence <= sequence, Self.contains(entry, runID) else { return false }
                state.bytes -= entry.bytes
                return true
            }
        }
    }

    /// Removes the queued events of a run.
    ///
    /// - Parameters:
    ///   - run: the run.
    ///   - sequence: events with higher sequence numbers are removed.
    ///   - isGap: whether the subscriber misses them, so that they count as skipped.
    func remove(_ run: RunID, after sequence: UInt64, isGap: Bool) {
        let skipped = state.withLock { state in
            var removed = 0
            state.entries.removeAll { entry in
                guard entry.sequence > sequence, entry.runID == run else { return false }
                state.bytes -= entry.bytes
                removed += 1
                return true
            }
            guard isGap else { return 0 }
            state.skipped += removed
            return removed
        }
        if skipped > 0 { onSkip(skipped) }
    }

    /// Empties the queue for good: later frames are dropped.
    package func close() {
        state.withLock { state in
            state.closed = true
            state.entries.removeAll()
            state.bytes = 0
        }
    }

    /// Whether an answer contains an event.
    ///
    /// - Parameters:
    ///   - entry: the event.
    ///   - run: the run of a history; `nil` for the list of runs, which contains every event.
    /// - Returns: whether it does.
    private static func contains(_ entry: Entry, _ run: RunID?) -> Bool {
        guard let runID = entry.runID else { return false }
        return run == nil || run == runID && entry.isInHistory
    }

    /// Whether the subscriber already has this event. Sequence numbers only grow, so smaller floors can be dropped.
    private func isKnown(_ entry: Entry, _ state: inout State) -> Bool {
        if state.floors.isEmpty || entry.runID == nil { return false }
        state.floors.removeAll { $0.sequence < entry.sequence }
        return state.floors.contains { Self.contains(entry, $0.runID) }
    }
}
