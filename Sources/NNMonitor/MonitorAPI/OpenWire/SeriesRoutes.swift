import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// The routes that read a run in buckets of steps.
struct SeriesRoutes: Sendable {
    private let monitor: Monitor
    private var failures: StoreFailures { monitor.failures }

    init(_ monitor: Monitor) { self.monitor = monitor }

    var routes: [Route] {
        [
            .on(.GET, "/api/v2/runs/{run}/series", scope: .read) { request in
                try await failures.answering(.history) { try await series(request) }
            },
            .on(.GET, "/api/v2/runs/{run}/matrix", scope: .read) { request in
                try await failures.answering(.history) { try await matrix(request) }
            },
        ]
    }

    private func series(_ request: HTTPRequest) async throws -> HTTPResponse {
        var parameters = QueryParameters(request)
        let metrics = parameters.orderedNames("metric")
        let scalars = parameters.orderedNames("scalars")
        if metrics == nil, scalars == nil { parameters.reject(.missing, "metric") }
        var wanted = SeriesRequest()
        wanted.read(&parameters)
        wanted.layers = parameters.patterns("layers")
        try parameters.finish()
        let snapshot = try await monitor.snapshot(request.runID())
        // An empty list means all.
        wanted.metrics = metrics.map { $0.isEmpty ? snapshot.names.metrics.names : $0 } ?? []
        wanted.scalars = scalars.map { $0.isEmpty ? snapshot.names.scalars.names : $0 } ?? []
        let reading = try await SeriesReading(monitor, request, snapshot, wanted)
        let body = SeriesBody(answer: reading.answer, lastSeq: snapshot.lastSeq)
        return try reading.json { try await body.write(to: &$0) }
    }

    private func matrix(_ request: HTTPRequest) async throws -> HTTPResponse {
        var parameters = QueryParameters(request)
        let metric = parameters.requiredText("metric")
        let parts = parameters.parts("agg")
        var wanted = SeriesRequest()
        wanted.read(&parameters)
        try parameters.finish()
        wanted.metrics = [ByteString(metric)]
        let snapshot = try await monitor.snapshot(request.runID())
        let reading = try await SeriesReading(monitor, request, snapshot, wanted)
        let body = MatrixBody(metric: metric, parts: parts, answer: reading.answer, lastSeq: snapshot.lastSeq)
        var response: HTTPResponse
        if request.prefers(MatrixBody.type, to: "application/json") {
            let head = body.head()
            response = try reading.binary("\(MatrixBody.type)", head: head.readableBytes) {
                try await body.write(head, to: $0)
            }
        } else {
            response = try reading.json { try await body.write(to: &$0) }
        }
        response.headers.add(name: "Vary", value: "Accept")
        return response
    }
}

extension SeriesRequest {
    /// Reads `from`, `to` and `points`.
    fileprivate mutating func read(_ parameters: inout QueryParameters) {
        let range = StepRange(&parameters)
        (from, to) = (range.from, range.to)
        points = parameters.points()
    }
}

extension Monitor {
    /// A run with its steps.
    ///
    /// - Throws: `HTTPError` with 404 if there is no such run; `StoreError` if it cannot be read.
    func snapshot(_ id: RunID) async throws -> RunSnapshot {
        guard let snapshot = try await store.snapshot(of: id) else {
            throw HTTPError(.notFound, code: "not_found", message: "Run '\(id)' not found")
        }
        return snapshot
    }
}

/// An answer made of series, and the memory that it needs.
private struct SeriesReading {
    let answer: SeriesAnswer
    private let snapshot: RunSnapshot
    private let request: HTTPRequest
    private let reservation: ResponseReservation

    /// Reserves the memory of the answer and selects what to read.
    init(
        _ monitor: Monitor, _ request: HTTPRequest, _ snapshot: RunSnapshot, _ wanted: SeriesRequest
    ) async throws {
        self.request = request
        self.snapshot = snapshot
        let rows = wanted.metrics.count * snapshot.names.layers.count + wanted.scalars.count
        reservation = try monitor.answers.reserve(
            AnswerMemory.plan(snapshot: snapshot.memory, rows: rows, points: wanted.points), access: request.access,
            peer: request.peer, retained: snapshot.retained)
        // The plan may touch every step that is held, which takes too long for an event loop.
        answer = try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await SeriesAnswer(snapshot, wanted)
        }
    }

    /// A response with JSON.
    func json(_ write: @escaping @Sendable (inout PieceWriter) async throws -> Void) throws -> HTTPResponse {
        let memory = memory(fixed: 0)
        // One part of a series is written at once, and so are the bounds of the buckets.
        let piece = streamPieceSize + answer.bucketCount * 41
        return try response("application/json", memory(piece)) { [reservation] body in
            var pieces = PieceWriter(body, reservation, memory: memory)
            try await write(&pieces)
        }
    }

    /// A response with a head that is kept in memory.
    func binary(
        _ type: String, head: Int, _ write: @escaping @Sendable (any BodyWriter) async throws -> Void
    ) throws -> HTTPResponse {
        let memory = memory(fixed: head)
        return try response(type, memory(answer.blockMemory / 4), write)
    }

    private func memory(fixed: Int) -> @Sendable (Int) -> Int {
        let fixed = fixed + answer.memory + answer.blockMemory
        let (snapshot, isCompressed, isSecure) = (snapshot.memory, request.acceptsGzip, request.secure)
        return { piece in
            fixed
                + AnswerMemory.history(
                    snapshot: snapshot, chunk: piece, isCompressed: isCompressed, isSecure: isSecure)
        }
    }

    private func response(
        _ type: String, _ memory: Int, _ write: @escaping @Sendable (any BodyWriter) async throws -> Void
    ) throws -> HTTPResponse {
        guard reservation.grow(to: memory) else { throw ResponseBudget.busy }
        var response = HTTPResponse(status: .ok, headers: ["Content-Type": type], body: .stream(write))
        response.reservation = reservation
        return response
    }
}
