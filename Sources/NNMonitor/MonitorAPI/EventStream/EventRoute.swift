import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// `GET /api/v2/events`: live messages as Server-Sent Events.
struct EventRoute: Sendable {
    private let monitor: Monitor

    init(_ monitor: Monitor) { self.monitor = monitor }

    var route: Route {
        .on(.GET, "/api/v2/events", scope: .read) { request in
            try await monitor.failures.answering(.history) { try await answer(request) }
        }
    }

    /// The response, whose head is sent when the client is subscribed.
    private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
        let wanted = try EventRequest(request)
        var response = HTTPResponse(status: .ok, headers: Self.headers, body: .stream { _ in })
        if request.acceptsGzip { response.headers.add(name: "Content-Encoding", value: "gzip") }
        guard request.method != .HEAD else {
            if let runID = wanted.runID, try await monitor.store.snapshot(of: runID) == nil {
                throw HTTPError.unknown(runID)
            }
            return response
        }
        let place: Subscribers.Place
        do throws(Subscribers.Refusal) {
            place = try monitor.subscribers.admit()
        } catch {
            throw HTTPError(.refusal(of: error))
        }
        let subscription = EventSubscription(monitor, place, wanted, request)
        // Selecting and sorting the missed steps takes too long for an event loop.
        let start = try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await subscription.begin()
        }
        response.stallTimeout = monitor.configuration.stallTimeout
        response.onConnectionEvent = { [signal = subscription.signal] event in
            switch event {
            case .inputClosed: signal.raise(.probe)
            case .stopping: signal.raise(.stopping)
            }
        }
        response.body = .stream { body in
            var stream = EventStream(subscription, start, body)
            try await stream.run()
        }
        return response
    }

    private static let headers: HTTPHeaders = [
        "Content-Type": "text/event-stream",
        // Proxies must neither store the stream nor hold it back to compress it.
        "Cache-Control": "no-cache, no-store, no-transform",
        // nginx then passes each event on at once.
        "X-Accel-Buffering": "no",
        "Vary": "Accept-Encoding",
    ]
}

extension HTTPError {
    /// 404 for a run that does not exist.
    static func unknown(_ runID: RunID) -> HTTPError {
        HTTPError(.notFound, code: "not_found", message: "Run '\(runID)' not found")
    }
}
