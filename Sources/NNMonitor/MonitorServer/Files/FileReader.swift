import Dispatch
import Foundations
import Synchronization

/// Reads files on its own thread with a timeout: a read from an unreachable network mount can block its thread forever.
///
/// While a read has not returned, the reader refuses another one, so each reader loses at most one thread.
final class FileReader: Sendable {
    /// Why there is no result.
    enum Failure: Error, CustomStringConvertible {
        case tooSlow(Duration)
        case stillReading

        var description: String {
            switch self {
            case .tooSlow(let time): "it could not be read within \(time): is its file system reachable?"
            case .stillReading: "an earlier attempt to read it has not ended: is its file system reachable?"
            }
        }
    }

    private let queue: DispatchQueue
    private let isReading = Atomic<Bool>(false)

    /// - Parameter name: The label of the thread's queue.
    init(_ name: String) { queue = DispatchQueue(label: name) }

    /// Runs `work` on the reader's thread. A result that arrives after the timeout is discarded.
    ///
    /// - Throws: ``Failure``, `CancellationError` when the task is cancelled, or the error of `work`.
    func read<Value: Sendable>(
        within time: Duration, _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        guard !isReading.exchange(true, ordering: .acquiringAndReleasing) else { throw Failure.stillReading }
        let outcome = Outcome<Value>()
        queue.async { [self] in
            let result = Result { try work() }
            isReading.store(false, ordering: .releasing)
            outcome.settle(result)
        }
        let milliseconds = time.components.seconds * 1_000 + time.components.attoseconds / 1_000_000_000_000_000
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(clamping: milliseconds))) {
            outcome.settle(.failure(Failure.tooSlow(time)))
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { outcome.await($0) }
        } onCancel: {
            outcome.settle(.failure(CancellationError()))
        }
    }

    /// Holds the first of several results until it is awaited, and ignores the others.
    private final class Outcome<Value: Sendable>: Sendable {
        private enum State: Sendable {
            case open
            case awaited(CheckedContinuation<Value, any Error>)
            case settled(Result<Value, any Error>)
            case done
        }

        private let state = Locked(State.open)

        func settle(_ result: Result<Value, any Error>) {
            let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                switch state {
                case .open: state = .settled(result)
                case .awaited(let continuation):
                    state = .done
                    return continuation
                case .settled, .done: break
                }
                return nil
            }
            continuation?.resume(with: result)
        }

        func await(_ continuation: CheckedContinuation<Value, any Error>) {
            let result = state.withLock { state -> Result<Value, any Error>? in
                if case .settled(let result) = state {
                    state = .done
                    return result
                }
                state = .awaited(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
