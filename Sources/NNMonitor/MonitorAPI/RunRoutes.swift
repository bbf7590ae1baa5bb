import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// `/api/v1/runs` and the paths below it.
struct RunRoutes: Sendable {
    private let monitor: Monitor
    private var store: any MetricsStoring { monitor.store }
    private var failures: StoreFailures { monitor.failures }

    init(_ monitor: Monitor) { self.monitor = monitor }

    var routes: [Route] {
        [
            .on(.GET, "/api/v1/runs", scope: .read) { request in
                try await failures.answering(.listing) { try await listing(request) }
            },
            .on(.GET, "/api/v1/runs/{run_id}", scope: .read) { request in
                try await failures.answering(.history) { try await history(RunID(request.parameters[0]), request) }
            },
            .on(.DELETE, "/api/v1/runs/{run_id}", scope: .admin) { request in
                try await failures.answering(.delete) { try await delete(RunID(request.parameters[0])) }
            },
            .on(.GET, "/api/v1/runs/{run_id}/latest", scope: .read) { request in
                try await failures.answering(.latest) { try await latest(RunID(request.parameters[0]), request) }
            },
        ]
    }

    private func listing(_ request: HTTPRequest) async throws -> HTTPResponse {
        let runs = try await store.listing().runs
        return try await monitor.encoded(size: AnswerMemory.listing(runs.count), request) { writer in
            RunListEncoder.appendListing(runs, to: &writer)
        }
    }

    /// The whole run, read and encoded piece by piece, as fast as the connection takes the pieces.
    private func history(_ runID: RunID, _ request: HTTPRequest) async throws -> HTTPResponse {
        guard let snapshot = try await store.snapshot(of: runID) else { throw notFound("Run '\(runID)' not found") }
        var encoder = HistoryEncoder.body(snapshot)
        // After the head of the response an error could only abort the connection.
        try await encoder.prefetch()
        let memory = { @Sendable (chunk: Int) in
            AnswerMemory.history(
                snapshot: snapshot.memory, chunk: chunk, isCompressed: request.acceptsGzip, isSecure: request.secure)
        }
        let reservation = try monitor.answers.reserve(
            memory(encoder.expectedChunk()), access: request.access, peer: request.peer, retained: snapshot.retained)
        encoder.reservation = reservation
        var response = HTTPResponse(
            status: .ok, headers: ["Content-Type": "application/json"],
            body: .stream { [encoder, failures] body in
                var encoder = encoder
                var writer = JSONWriter()
                var isLast = false
                while !isLast {
                    do throws(StoreError) {
                        isLast = try await encoder.next(into: &writer)
                    } catch {
                        failures.note(error, during: .history)
                        // Aborts the connection without a second log line.
                        throw HTTPServiceError.connectionClosed
                    }
                    guard reservation.grow(to: memory(writer.bytes.count)) else {
                        throw HTTPServiceError.connectionClosed
                    }
                    try await body.write(ByteBuffer(bytes: writer.bytes))
                }
            })
        response.reservation = reservation
        return response
    }

    private func delete(_ runID: RunID) async throws -> HTTPResponse {
        guard try await monitor.delete(runID) else { throw notFound("Run '\(runID)' not found") }
        return HTTPResponse(status: .noContent)
    }

    private func latest(_ runID: RunID, _ request: HTTPRequest) async throws -> HTTPResponse {
        guard let record = try await store.latest(of: runID) else { throw notFound("No data for run '\(runID)'") }
        return try await monitor.encoded(size: StepEncoder.estimatedSize(record), request) { writer in
            StepEncoder.append(record, to: &writer)
        }
    }

    private func notFound(_ message: String) -> HTTPError {
        HTTPError(.notFound, code: "not_found", message: message)
    }
}
