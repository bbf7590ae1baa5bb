import HTTPService
import Logging
import MonitorCore
import NIOHTTP1

/// Reports errors of the store: one folded log line for each operation, and the response that clients get.
struct StoreFailures: Sendable {
    /// The operation of the store that failed.
    enum Operation: String {
        case append, delete, listing, history, latest, update, alert, silence
    }

    /// How long a client should wait before it tries again, in seconds.
    private static let retryAfter = 5

    /// The text of the error message to a subscriber.
    static let message = "The store failed; try again later"

    private let log: FoldedLog

    init(log: FoldedLog) { self.log = log }

    /// Logs an error. An error of a cancelled task is not logged: its client has left, and the store may have stopped
    /// for that reason.
    func note(_ error: StoreError, during operation: Operation) {
        guard !Task.isCancelled else { return }
        log.note("store \(operation.rawValue)", level: .error, "the store failed") {
            ["operation": "\(operation.rawValue)", "error": "\(error.reason)"]
        }
    }

    /// Runs the part of a request that uses the store.
    ///
    /// - Parameters:
    ///   - operation: the operation, for the log line.
    ///   - work: the request's work.
    /// - Returns: the result of `work`.
    /// - Throws: `HTTPError` with 503 instead of a `StoreError`; other errors of `work` unchanged.
    func answering<Result>(
        _ operation: Operation, _ work: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await work()
        } catch let error as StoreError {
            throw unavailable(error, during: operation)
        }
    }

    /// Logs an error and makes the response: 503 with `Retry-After`.
    func unavailable(_ error: StoreError, during operation: Operation) -> HTTPError {
        note(error, during: operation)
        return switch operation {
        case .append: Self.unavailable("The store failed and the step was not stored; send it again later")
        case .delete: Self.unavailable("The store failed and the run was not deleted; try again later")
        case .update: Self.unavailable("The store failed and the run was not updated; send it again later")
        case .alert: Self.unavailable("The store failed and the alert was not stored; send it again later")
        case .listing, .history, .latest, .silence: Self.unavailable(Self.message)
        }
    }

    /// Logs an error in the middle of a batch and makes the response. A step that is sent again replaces itself, so the
    /// client may send the whole batch again.
    ///
    /// - Parameters:
    ///   - error: the error.
    ///   - line: the line that was not stored.
    ///   - stored: the number of lines before it that were.
    /// - Returns: 503 with `Retry-After`.
    func unavailable(_ error: StoreError, line: Int, stored: Int) -> HTTPError {
        note(error, during: .append)
        return Self.unavailable(
            "The store failed at line \(line): \(stored) lines before it were stored, and none from it on; "
                + "send the batch again later")
    }

    private static func unavailable(_ message: String) -> HTTPError {
        var response = HTTPResponse.error(.serviceUnavailable, code: "store_unavailable", message: message)
        response.headers.add(name: "Retry-After", value: String(Self.retryAfter))
        return HTTPError(response)
    }
}
