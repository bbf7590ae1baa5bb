import Foundation
import Foundations
import Logging
import MonitorCore
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPService
@testable import MonitorAPI

/// A store that fails: what trainers, readers and subscribers get.
@Suite(.timeLimit(.minutes(1))) struct StoreFailureTests {
    private let store = TestStore()
    private let lines = LogLines.Lines()
    private let monitor: Monitor

    init() {
        let lines = lines
        monitor = Monitor(
            configuration: MonitorConfiguration(), store: store,
            logger: Logger(label: "test") { _ in LogLines(lines: lines) })
    }

    private func stepNumber(_ message: [String: Any]) -> Int? { (message["data"] as? [String: Any])?["step"] as? Int }

    // MARK: Sequence numbers

    @Test func `an append or a deletion that fails with a sequence number does not hold back later messages`()
        async throws
    {
        try await monitor.accept(Payload.step(1))
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        await store.set(.failNumbered)
        await #expect(throws: StoreError.self) { try await monitor.accept(Payload.step(2)) }
        await #expect(throws: StoreError.self) { try await monitor.delete("r") }
        await store.set(.succeed)
        try await monitor.accept(Payload.step(3))
        #expect(stepNumber(try await subscriber.receive()) == 3)
    }

    @Test func `messages wait for a slow append, and come when its client leaves and it fails`() async throws {
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        let valve = Valve()
        await store.set(.wait(valve))
        let slow = Task { [monitor] in try await monitor.accept(Payload.step(1)) }
        while valve.waiting == 0 { await Task.yield() }
        await store.set(.succeed)
        try await monitor.accept(Payload.step(2))
        // If the message of step 2 had been sent, it would come before the answer to the ping.
        try await subscriber.send(#"{"action":"ping"}"#)
        #expect(try await subscriber.receive()["type"] as? String == "pong")
        slow.cancel()
        await #expect(throws: StoreError.self) { try await slow.value }
        #expect(stepNumber(try await subscriber.receive()) == 2)
    }

    @Test func `sequence numbers continue after those of a restored store`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration(), store: TestStore(lastSequence: 41))
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        try await monitor.accept(Payload.step(1))
        #expect(stepNumber(try await subscriber.receive()) == 1)
    }

    // MARK: HTTP

    private func server() throws -> HTTPServer {
        try HTTPServer(
            configuration: HTTPConfiguration(), routes: monitor.routes,
            authenticator: Authenticator(table: .open, failureLimit: 0, digest: { $0 }),
            assets: StaticAssets(files: ["index.html": ""], modified: 0), logger: Logger(label: "test"))
    }

    /// A connection to a server of this monitor.
    private func connection() async throws -> NIOAsyncTestingChannel {
        let server = try server()
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        try await channel.eventLoop.submit { try server.install(on: channel, secure: false) }.get()
        return channel
    }

    /// Everything that is sent until the channel closes.
    private func response(_ request: String, body: String = "", headers: String = "") async throws -> String {
        let channel = try await connection()
        let length = (body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n") + headers
        try await channel.writeInbound(
            ByteBuffer(string: "\(request) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(length)\r\n\(body)"))
        try await channel.closeFuture.get()
        var text = ""
        while let part = try await channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: part) }
        return text
    }

    @Test(arguments: [0, 1, 6, 7, 40, 90])
    func `a batch names the line at which the store failed, and what was stored before it is sent`(stored: Int)
        async throws
    {
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        // Every tenth line is bad.
        let bad = (1...100).filter { $0 % 10 == 0 }
        let text = (1...100).map { bad.contains($0) ? "{}" : #"{"step":\#($0)}"# }.joined(separator: "\n")
        let good = (1...100).filter { !bad.contains($0) } + [0]
        await store.set(.failAfter(stored))
        let response = try await response(
            "POST /api/v2/runs/r/steps", body: text, headers: "Content-Type: application/x-ndjson\r\n")
        await store.set(.succeed)
        try await monitor.accept(Payload.step(1000))
        let expected = stored < 90 ? "HTTP/1.1 503 " : "HTTP/1.1 202 "
        #expect(response.hasPrefix(expected))
        if stored < 90 {
            #expect(
                response.contains("The store failed at line \(good[stored]): \(stored) lines before it were stored"))
            #expect(lines.take() == ["error error=the disk is full operation=append"])
        }
        for step in good.prefix(stored) + [1000] { #expect(stepNumber(try await subscriber.receive()) == step) }
    }

    private static let requests = [
        ("POST /api/v1/metrics/layerwise", "The store failed and the step was not stored; send it again later"),
        ("DELETE /api/v1/runs/r", "The store failed and the run was not deleted; try again later"),
        ("GET /api/v1/runs", "The store failed; try again later"),
        ("GET /api/v1/runs/r", "The store failed; try again later"),
        ("GET /api/v1/runs/r/latest", "The store failed; try again later"),
        ("PUT /api/v2/runs/r", "The store failed and the run was not updated; send it again later"),
        ("POST /api/v2/runs/r/alerts", "The store failed and the alert was not stored; send it again later"),
        ("DELETE /api/v2/runs/r", "The store failed and the run was not deleted; try again later"),
        ("GET /api/v2/runs", "The store failed; try again later"),
        ("GET /api/v2/runs/r", "The store failed; try again later"),
    ]

    @Test(arguments: requests) func `a request that fails is answered 503`(request: String, message: String)
        async throws
    {
        let body = request.hasSuffix("layerwise") ? Payload.text(1) : request.hasPrefix("P") ? #"{"title":"t"}"# : ""
        try await monitor.accept(Payload.step(0))
        await store.set(.failNumbered)
        for _ in 0..<3 {
            let response = try await response(request, body: body)
            #expect(response.hasPrefix("HTTP/1.1 503 "))
            #expect(response.contains("\r\nRetry-After: 5\r\n"))
            #expect(response.hasSuffix(#"{"detail":{"error":"store_unavailable","message":"\#(message)"}}"#))
        }
        let posted = request.hasSuffix("alerts") ? "alert" : "append"
        let operations = ["POST": posted, "PUT": "update", "DELETE": "delete"]
        let operation = operations[String(request.prefix { $0 != " " })]
        let expected =
            operation ?? (request.hasSuffix("latest") ? "latest" : request.hasSuffix("r") ? "history" : "listing")
        #expect(lines.take() == ["error error=the disk is full operation=\(expected)"], "the log line is folded")
        await store.set(.succeed)
        #expect(try await response("GET /api/v1/runs").contains(#""step_count":1,"#), "nothing was stored or deleted")
    }

    @Test func `a history whose first batch cannot be read is answered 503`() async throws {
        try await monitor.accept(Payload.step(1))
        await store.setBatches(of: 1, failsAfter: -1)
        #expect(try await response("GET /api/v1/runs/r").hasPrefix("HTTP/1.1 503 "))
    }

    @Test func `a response is cut off when the rest of a history cannot be read`() async throws {
        for number in 0..<4 { try await monitor.accept(Payload.step(number)) }
        await store.setBatches(of: 1, failsAfter: 2)
        let response = try await response("GET /api/v1/runs/r")
        #expect(!response.contains("\r\n0\r\n\r\n"), "the last chunk is missing")
        #expect(lines.take() == ["error error=the disk is broken operation=history"])
    }

    @Test func `a response waits for a source that suspends`() async throws {
        for number in 0..<20 { try await monitor.accept(Payload.step(number, layers: 20)) }
        let whole = try await response("GET /api/v1/runs/r")
        let valve = Valve()
        await store.setBatches(of: 3, valve: valve)
        async let slow = response("GET /api/v1/runs/r")
        while valve.waiting == 0 { await Task.yield() }
        valve.open()
        func body(_ response: String) -> Substring {
            response[(response.range(of: "\r\n\r\n")?.upperBound ?? response.endIndex)...]
        }
        #expect(body(try await slow) == body(whole))
        #expect(whole.contains(#""step":19,"#))
    }

    @Test func `a client that leaves ends the wait of its response`() async throws {
        for number in 0..<20 { try await monitor.accept(Payload.step(number, layers: 20)) }
        let valve = Valve()
        await store.setBatches(of: 3, valve: valve)
        let channel = try await connection()
        try await channel.writeInbound(ByteBuffer(string: "GET /api/v1/runs/r HTTP/1.1\r\nHost: a\r\n\r\n"))
        // The request runs as a job of this event loop, which the test must run.
        while valve.waiting == 0 { await channel.testingEventLoop.run() }
        try await channel.close().get()
        while valve.cancelled == 0 { await Task.yield() }
        #expect(lines.take() == [])
    }

    // MARK: Subscribers

    @Test func `a session without a listing ends with an error and 1011`() async throws {
        await store.set(.fail)
        let subscriber = try await Subscriber(monitor)
        #expect(try await subscriber.receive()["message"] as? String == "The store failed; try again later")
        #expect(try await subscriber.receive()["close"] as? UInt16 == 1011)
        #expect(lines.take() == ["error error=the disk is full operation=listing"])
    }

    @Test(arguments: [true, false])
    func `a history that cannot be read is an error and the session continues`(whenSnapshotFails: Bool) async throws {
        try await monitor.accept(Payload.step(1))
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        if whenSnapshotFails { await store.set(.fail) } else { await store.setBatches(of: 1, failsAfter: -1) }
        try await subscriber.send(#"{"action":"subscribe_run","run_id":"r"}"#)
        let answer = try await subscriber.receive()
        #expect(answer["type"] as? String == "error")
        #expect(answer["message"] as? String == "The store failed; try again later")
        await store.set(.succeed)
        try await monitor.accept(Payload.step(2))
        #expect(stepNumber(try await subscriber.receive()) == 2)
    }

    @Test func `a history that breaks off ends the session with 1011`() async throws {
        for number in 0..<4 { try await monitor.accept(Payload.step(number, layers: 100)) }
        await store.setBatches(of: 1, failsAfter: 2)
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        try await subscriber.send(#"{"action":"subscribe_run","run_id":"r"}"#)
        #expect(try await subscriber.receive()["close"] as? UInt16 == 1011)
        try await monitor.accept(Payload.step(5))
        #expect(lines.take() == ["error error=the disk is broken operation=history"])
    }

    @Test func `a history from a source that suspends is followed by the steps that were stored meanwhile`()
        async throws
    {
        for number in 0..<20 { try await monitor.accept(Payload.step(number, layers: 20)) }
        let valve = Valve()
        await store.setBatches(of: 3, valve: valve)
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        try await subscriber.send(#"{"action":"subscribe_run","run_id":"r"}"#)
        while valve.waiting == 0 { await Task.yield() }
        try await monitor.accept(Payload.step(20))
        valve.open()
        let data = try await subscriber.receive()["data"] as? [String: Any]
        let steps = (data?["steps"] as? [[String: Any]])?.compactMap { $0["step"] as? Int }
        #expect(steps == Array(0..<20))
        #expect(stepNumber(try await subscriber.receive()) == 20)
    }

    @Test func `a subscriber that leaves ends the wait of its history`() async throws {
        for number in 0..<20 { try await monitor.accept(Payload.step(number, layers: 20)) }
        let valve = Valve()
        await store.setBatches(of: 3, valve: valve)
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        try await subscriber.send(#"{"action":"subscribe_run","run_id":"r"}"#)
        while valve.waiting == 0 { await Task.yield() }
        try await subscriber.channel.close().get()
        while valve.cancelled == 0 { await Task.yield() }
        #expect(lines.take() == [])
    }
}
