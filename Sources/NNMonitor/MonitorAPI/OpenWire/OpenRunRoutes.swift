import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// `/api/v2/runs` and the paths below it that are about runs as a whole.
struct OpenRunRoutes: Sendable {
    private let monitor: Monitor
    private var failures: StoreFailures { monitor.failures }

    init(_ monitor: Monitor) { self.monitor = monitor }

    var routes: [Route] {
        [
            .on(.GET, "/api/v2/runs", scope: .read) { request in
                try await failures.answering(.listing) { try await listing(request) }
            },
            .on(.GET, "/api/v2/runs/{run}", scope: .read) { request in
                try await failures.answering(.history) { try await run(request) }
            },
            .on(.GET, "/api/v2/runs/{run}/health", scope: .read) { request in
                try await failures.answering(.history) { try await health(request) }
            },
            .on(.PUT, "/api/v2/runs/{run}", scope: .ingest, or: .admin, body: .json) { request in
                try await failures.answering(.update) { try await update(request) }
            },
            .on(.DELETE, "/api/v2/runs/{run}", scope: .admin) { request in
                try await failures.answering(.delete) { try await delete(request) }
            },
            .on(.POST, "/api/v2/runs/{run}/alerts", scope: .ingest, body: .json) { request in
                try await failures.answering(.alert) { try await alert(request) }
            },
        ]
    }

    private func listing(_ request: HTTPRequest) async throws -> HTTPResponse {
        let page = try await monitor.store.runs(matching: Self.filter(request))
        let size = page.runs.reduce(32) { $0 + RunEncoder.estimatedSize($1, .entry) }
        return try await monitor.encoded(size: size, request) { RunEncoder.append(page, to: &$0) }
    }

    private static func filter(_ request: HTTPRequest) throws -> RunFilter {
        var parameters = QueryParameters(request)
        var filter = RunFilter()
        filter.project = parameters.text("project").map { ByteString($0) }
        filter.group = parameters.text("group").map { ByteString($0) }
        filter.tags = request.query.filter { $0.name == "tag" }.map { ByteString($0.value) }
        let states = RunState.allCases
        let state = parameters.word("state", of: states.map(\.name))
        filter.state = states.first { $0.name == state }
        filter.text = parameters.text("q") ?? ""
        filter.limit = Int(parameters.integer("limit", atLeast: 1, atMost: 1000) ?? 100)
        filter.before = parameters.integer("cursor", atLeast: 0).map { UTCTime(microseconds: $0) }
        try parameters.finish()
        return filter
    }

    private func run(_ request: HTTPRequest) async throws -> HTTPResponse {
        let id = try request.runID()
        guard let run = try await monitor.store.describe(id) else { throw notFound(id) }
        return try await response(run, .whole, request, status: .ok)
    }

    private func health(_ request: HTTPRequest) async throws -> HTTPResponse {
        let id = try request.runID()
        var parameters = QueryParameters(request)
        var form = HealthForm()
        let state = parameters.word("state", of: HealthForm.State.allCases.map(\.rawValue))
        form.state = state.flatMap { HealthForm.State(rawValue: $0) } ?? .all
        form.hasLayers = parameters.word("layers", of: ["true", "false"]) != "false"
        form.limit = parameters.integer("limit", atLeast: 0, atMost: 1_000_000).map(Int.init)
        try parameters.finish()
        guard let (report, run) = try await monitor.store.health(of: id) else { throw notFound(id) }
        let encoder = HealthEncoder(report, of: run, link: monitor.configuration.link)
        return try await monitor.encoded(size: encoder.estimatedSize(form), request) { [form] in
            encoder.append(form, to: &$0)
        }
    }

    private func update(_ request: HTTPRequest) async throws -> HTTPResponse {
        let id = try request.runID()
        // The bytes are valid during the closure, and the decoder does not keep the pointer.
        switch unsafe request.body.withUnsafeReadableBytes({ unsafe RunUpdateDecoder.update($0) }) {
        case .success(let update):
            if let access = request.access, access.scope != .ingest, !update.isDescription {
                throw HTTPError(access.refusal(lacking: .ingest))
            }
            switch try await monitor.update(id, with: update) {
            case .success(let outcome):
                return try await response(outcome.run, .message, request, status: outcome.hasBegun ? .created : .ok)
            case .failure(let rejection): return Self.rejected(rejection)
            }
        case .failure(let rejection): return Self.rejected(rejection)
        }
    }

    private func delete(_ request: HTTPRequest) async throws -> HTTPResponse {
        let id = try request.runID()
        guard try await monitor.delete(id) else { throw notFound(id) }
        return HTTPResponse(status: .noContent)
    }

    private func alert(_ request: HTTPRequest) async throws -> HTTPResponse {
        let id = try request.runID()
        // The bytes are valid during the closure, and the decoder does not keep the pointer.
        switch unsafe request.body.withUnsafeReadableBytes({ unsafe RunUpdateDecoder.alert($0) }) {
        case .success(let alert):
            guard try await monitor.note(alert, of: id) else { throw notFound(id) }
            var writer = JSONWriter()
            writer.literal("{\"status\":\"accepted\",\"run_id\":")
            writer.string(id.text)
            writer.literal("}")
            return .json(ByteBuffer(bytes: writer.bytes), status: .accepted)
        case .failure(let rejection): return Self.rejected(rejection)
        }
    }

    private func response(
        _ run: RunDescription, _ form: RunForm, _ request: HTTPRequest, status: HTTPResponseStatus
    ) async throws -> HTTPResponse {
        try await monitor.encoded(size: RunEncoder.estimatedSize(run, form), request, status: status) {
            RunEncoder.append(run, form, to: &$0)
        }
    }

    private static func rejected(_ rejection: RejectedPayload) -> HTTPResponse {
        .json(ByteBuffer(bytes: rejection.body()), status: .unprocessableEntity)
    }

    private func notFound(_ id: RunID) -> HTTPError {
        HTTPError(.notFound, code: "not_found", message: "Run '\(id)' not found")
    }
}
