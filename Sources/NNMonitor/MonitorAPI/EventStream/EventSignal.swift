import Foundations

/// Wakes the task of an event stream.
final class EventSignal: Sendable {
    /// Why the task is woken.
    struct Reason: OptionSet, Sendable {
        let rawValue: UInt8

        /// Messages wait in the queue.
        static let messages = Reason(rawValue: 1)
        /// Nothing may have been sent for the keep-alive interval.
        static let keepAlive = Reason(rawValue: 2)
        /// The client may be gone; a write shows it.
        static let probe = Reason(rawValue: 4)
        /// The server is stopping.
        static let stopping = Reason(rawValue: 8)
        /// The grant of the request has ended.
        static let accessEnded = Reason(rawValue: 16)
        /// The task is cancelled: the client has disconnected.
        static let cancelled = Reason(rawValue: 32)
    }

    private struct State {
        var reasons: Reason = []
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())

    /// Wakes the task, now or when it next waits.
    func raise(_ reason: Reason) {
        let waiter = state.withLock { state in
            state.reasons.formUnion(reason)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits until `raise` is called, unless it was called since the last wait. Only one task may wait.
    ///
    /// - Returns: all reasons since the last wait.
    func wait() async -> Reason {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRaised = state.withLock { state in
                    if state.reasons.isEmpty { state.waiter = continuation }
                    return !state.reasons.isEmpty
                }
                if isRaised { continuation.resume() }
            }
        } onCancel: {
            raise(.cancelled)
        }
        return state.withLock { state in
            defer { state.reasons = [] }
            return state.reasons
        }
    }
}
