import Dispatch
import MonitorCore
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPService
@testable import MonitorAPI

/// What `/metrics` reports where a client cannot cause it.
@Suite(.timeLimit(.minutes(2))) struct MetricsTests {
    /// The response's line of a series.
    private func value(_ series: String, of monitor: Monitor) async throws -> Double {
        let text = await MetricsRoute(monitor).text()
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("nnmonitor_\(series) ") })
        return try #require(Double(line.split(separator: " ")[1]))
    }

    private func post(_ route: Route, _ body: String) async throws {
        guard case .handle(_, let handler) = route.action else { throw HTTPServiceError.connectionClosed }
        _ = try await handler(
            HTTPRequest(method: .POST, path: "/", parameters: ["r"], body: ByteBuffer(string: body)))
    }

    @Test func `a step that the store refuses is counted`() async throws {
        let store = TestStore()
        let monitor = Monitor(configuration: MonitorConfiguration(), store: store)
        await store.set(.fail)
        await #expect(throws: HTTPError.self) { try await post(IngestRoute(monitor).route, Payload.text(1)) }
        await #expect(throws: HTTPError.self) { try await post(OpenIngestRoute(monitor).route, "{\"step\":1}") }
        #expect(try await value(#"rejected_total{reason="store_unavailable"}"#, of: monitor) == 2)
        #expect(try await value("steps_accepted_total", of: monitor) == 0)
    }

    @Test func `an eviction by a call that fails afterwards is counted`() async throws {
        let store = TestStore()
        let monitor = Monitor(configuration: MonitorConfiguration(), store: store)
        await store.set(.failAfterEviction)
        await #expect(throws: StoreError.self) { try await monitor.accept(Payload.step(1)) }
        #expect(try await value("runs_evicted_total", of: monitor) == 1)
    }

    @Test func `the lag grows while an event loop is blocked and falls afterwards`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let lag = EventLoopLag(interval: .milliseconds(1))
        lag.watch(group)
        let end = DispatchSemaphore(value: 0)
        group.next().execute { end.wait() }
        while lag.current() < .milliseconds(100) { await Task.yield() }
        // It counts although the measuring task has not run.
        let blocked = lag.current()
        while lag.current() < blocked + .milliseconds(50) { await Task.yield() }
        end.signal()
        while lag.current() >= .milliseconds(50) { await Task.yield() }
        try await group.shutdownGracefully()
    }

    @Test func `a number is written so that Prometheus reads it`() {
        var text = PrometheusText()
        text.write("lag_seconds", .gauge, "A lag.", 8.1e-05)
        text.write("x_total", "Counts.", by: [("a", 1), ("b", 2)])
        #expect(
            text.text == """
                # HELP nnmonitor_lag_seconds A lag.
                # TYPE nnmonitor_lag_seconds gauge
                nnmonitor_lag_seconds 8.1e-05
                # HELP nnmonitor_x_total Counts.
                # TYPE nnmonitor_x_total counter
                nnmonitor_x_total{reason="a"} 1
                nnmonitor_x_total{reason="b"} 2

                """)
    }
}
