import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1
import Foundations

/// `GET /api/v1/runs` and what is below it.
struct RunRoutes: Sendable {
    private let monitor: Monitor
    private var store: MetricsStore { monitor.store }

    init(_ monitor: Monitor) { self.monitor = monitor }

    var routes: [Route] {
        [
            .on(.GET, "/api/v1/runs", scope: .read) { _ in await listing() },
            .on(.GET, "/api/v1/runs/{run_id}", scope: .read) { try await history(RunID($0.parameters[0])) },
            .on(.DELETE, "/api/v1/runs/{run_id}", scope: .admin) { try await delete(RunID($0.parameters[0])) },
            .on(.GET, "/api/v1/runs/{run_id}/latest", scope: .read) { try await latest(RunID($0.parameters[0])) },
        ]
    }

    private func listing() async -> HTTPResponse {
        let runs = await store.listing().runs
        return .json(
            await encoded(size: runs.count * 200) { writer in RunEncoder.appendListing(runs, to: &writer) })
    }

    /// The whole run, encoded while it is sent: as much at a time as the connection takes.
    private func history(_ runID: RunID) async throws -> HTTPResponse {
        guard let snapshot = await store.snapshot(of: runID) else { throw notFound("Run '\(runID)' not found") }
        return HTTPResponse(
            status: .ok, headers: ["Content-Type": "application/json"],
            body: .stream { body in
                var encoder = HistoryEncoder.body(snapshot)
                var writer = JSONWriter()
                var isLast = false
                while !isLast {
                    isLast = encoder.next(into: &writer)
                    try await body.write(ByteBuffer(bytes: writer.bytes))
                }
            })
    }

    private func delete(_ runID: RunID) async throws -> HTTPResponse {
        guard await monitor.delete(runID) else { throw notFound("Run '\(runID)' not found") }
        return HTTPResponse(status: .noContent)
    }

    private func latest(_ runID: RunID) async throws -> HTTPResponse {
        guard let record = await store.latest(of: runID) else { throw notFound("No data for run '\(runID)'") }
        return .json(
            await encoded(size: StepEncoder.estimatedSize(record)) { writer in StepEncoder.append(record, to: &writer) }
        )
    }

    /// Encodes what is short where the request runs, which may be an event loop; what takes longer elsewhere.
    ///
    /// - Parameters:
    ///   - size: about how many bytes it will be.
    ///   - encode: writes it.
    /// - Returns: what was written.
    private func encoded(size: Int, _ encode: @escaping @Sendable (inout JSONWriter) -> Void) async -> ByteBuffer {
        let work = { @Sendable in
            var writer = JSONWriter(capacity: size)
            encode(&writer)
            return ByteBuffer(bytes: writer.bytes)
        }
        if size <= 64 << 10 { return work() }
        return await withTaskExecutorPreference(globalConcurrentExecutor) { work() }
    }

    private func notFound(_ message: String) -> HTTPError {
        HTTPError(.notFound, code: "not_found", message: message)
    }
}
