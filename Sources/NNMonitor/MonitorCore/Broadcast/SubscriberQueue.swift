import DequeModule
import Foundations

/// How much a subscriber may have waiting.
package struct QueueLimits: Sendable, Equatable {
    /// Messages waiting at most.
    package var messages: Int
    /// Bytes waiting at most, counted as they go over the wire.
    package var bytes: Int

    package init(messages: Int = 256, bytes: Int = 16 << 20) {
        self.messages = messages
        self.bytes = bytes
    }
}

/// What a subscriber is to be sent next.
package enum QueueItem<Frame: Sendable>: Sendable {
    /// The ready frame of a step.
    case step(Frame)
    /// So many steps were skipped here, because the subscriber read too slowly.
    case lagged(skipped: Int)
}

/// What waits for one subscriber: bounded, newest wins.
///
/// The broadcaster puts steps in from any thread; the connection takes them out on its event loop. Over the bound the
/// oldest waiting steps go, and the next thing taken is a `lagged` item that counts them. While an answer that contains
/// steps (the listing, a history) is made, the connection takes nothing; when it is ready, `beginAfter` removes the steps
/// that it already contains, so that the subscriber sees no step twice and none is lost in between.
package final class SubscriberQueue<Frame: Sendable>: Sendable {
    private struct Waiting {
        let frame: Frame
        let bytes: Int
        let runID: RunID
        let sequence: UInt64
    }

    private struct State {
        var waiting: Deque<Waiting> = []
        var bytes = 0
        var skipped = 0
        var isIdle = false
        var closed = false
        /// Steps up to this number, of this run (of all runs: nil), are in what the subscriber was sent.
        var floors: [(runID: RunID?, sequence: UInt64)] = []
    }

    private let state = Guarded(State())
    private let limits: QueueLimits
    let waker: (any QueueWaker)?
    let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - limits: how much may wait.
    ///   - waker: calls `wake`; `nil`: it is called at once, on any thread.
    ///   - wake: called when there is something to take after `take` had returned nothing.
    package init(limits: QueueLimits, waker: (any QueueWaker)? = nil, wake: @escaping @Sendable () -> Void) {
        self.limits = limits
        self.waker = waker
        self.wake = wake
    }

    /// Puts a step in.
    ///
    /// - Returns: whether the consumer sleeps, and whoever calls must see to it that `wake` is called.
    func offer(_ frame: Frame, bytes: Int, runID: RunID, sequence: UInt64) -> Bool {
        state.withLock { state in
            guard !state.closed, !isKnown(runID, sequence, &state) else { return false }
            state.waiting.append(Waiting(frame: frame, bytes: bytes, runID: runID, sequence: sequence))
            state.bytes += bytes
            while state.waiting.count > 1 && (state.waiting.count > limits.messages || state.bytes > limits.bytes) {
                state.bytes -= state.waiting.removeFirst().bytes
                state.skipped += 1
            }
            defer { state.isIdle = false }
            return state.isIdle
        }
    }

    /// Takes the next item; `nil` when nothing waits: `wake` is called when that changes.
    package func take() -> QueueItem<Frame>? {
        state.withLock { state in
            if state.skipped > 0 {
                defer { state.skipped = 0 }
                return .lagged(skipped: state.skipped)
            }
            guard let first = state.waiting.popFirst() else {
                state.isIdle = true
                return nil
            }
            state.bytes -= first.bytes
            return .step(first.frame)
        }
    }

    /// From here on only steps that are not in a snapshot: of this run (`nil`: of all runs), after this number.
    package func beginAfter(_ sequence: UInt64, runID: RunID?) {
        state.withLock { state in
            state.floors.append((runID, sequence))
            state.waiting.removeAll { waiting in
                guard waiting.sequence <= sequence && (runID == nil || runID == waiting.runID) else { return false }
                state.bytes -= waiting.bytes
                return true
            }
        }
    }

    /// Drops what waits and takes nothing any more.
    package func close() {
        state.withLock { state in
            state.closed = true
            state.waiting.removeAll()
            state.bytes = 0
        }
    }

    /// Whether the subscriber has this step already. Numbers only rise, so a floor below this one has done its work.
    private func isKnown(_ runID: RunID, _ sequence: UInt64, _ state: inout State) -> Bool {
        if state.floors.isEmpty { return false }
        state.floors.removeAll { $0.sequence < sequence }
        return state.floors.contains { $0.runID == nil || $0.runID == runID }
    }
}
