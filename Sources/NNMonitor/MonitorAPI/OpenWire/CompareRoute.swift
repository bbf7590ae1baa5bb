import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// `GET /api/v2/compare`: a metric of two runs, layer by layer.
struct CompareRoute: Sendable {
    private let monitor: Monitor
    private var failures: StoreFailures { monitor.failures }

    init(_ monitor: Monitor) { self.monitor = monitor }

    var route: Route {
        .on(.GET, "/api/v2/compare", scope: .read) { request in
            try await failures.answering(.history) { try await answer(request) }
        }
    }

    private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
        var parameters = QueryParameters(request)
        let ids = (a: parameters.runID("a"), b: parameters.runID("b"))
        let metric = parameters.requiredText("metric")
        let points = parameters.points()
        let factor = parameters.number("factor", above: 1) ?? 2
        try parameters.finish()
        let (a, configA) = try await side(ids.a, metric)
        let (b, configB) = try await side(ids.b, metric)
        let snapshots = (a: a.snapshot, b: b.snapshot)
        let pairs = snapshots.a.memory + snapshots.b.memory
        let layers = snapshots.a.names.layers.count + snapshots.b.names.layers.count
        let reservation = try monitor.answers.reserve(
            AnswerMemory.comparison(snapshots: pairs, layers: layers, points: points),
            access: request.access, peer: request.peer,
            retained: { (snapshots.a.retained?() ?? 0) + (snapshots.b.retained?() ?? 0) })
        // All steps of both runs are read, which takes too long for an event loop.
        let comparison = try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await RunComparison(a, b, points: points, factor: factor)
        }
        let body = ComparisonBody(
            a: snapshots.a, b: snapshots.b, metric: metric, factor: factor, comparison: comparison,
            configs: (configA, configB))
        let fixed = body.memory
        let (isCompressed, isSecure) = (request.acceptsGzip, request.secure)
        let memory = { @Sendable (piece: Int) in
            fixed + AnswerMemory.history(snapshot: pairs, chunk: piece, isCompressed: isCompressed, isSecure: isSecure)
        }
        guard reservation.grow(to: memory(streamPieceSize + comparison.bucketCount * 41)) else {
            throw ResponseBudget.busy
        }
        var response = HTTPResponse(
            status: .ok, headers: ["Content-Type": "application/json"],
            body: .stream { [reservation] stream in
                var pieces = PieceWriter(stream, reservation, memory: memory)
                try await body.write(to: &pieces)
            })
        response.reservation = reservation
        return response
    }

    private func side(_ id: RunID, _ metric: String) async throws -> (RunComparison.Side, RunConfig) {
        let snapshot = try await monitor.snapshot(id)
        // A run that was deleted meanwhile has no config any more.
        let config = try await monitor.store.describe(id)?.details.info.config ?? RunConfig()
        return (RunComparison.Side(snapshot, ByteString(metric)), config)
    }
}
