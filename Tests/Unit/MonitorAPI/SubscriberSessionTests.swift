import Foundation
import MonitorCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOWebSocket
import Testing
import WebSocket

@testable import HTTPService
@testable import MonitorAPI

@Suite struct SubscriberSessionTests {
    private func steps(_ history: [String: Any]) -> [Int] {
        let data = history["data"] as? [String: Any]
        return (data?["steps"] as? [[String: Any]])?.compactMap { $0["step"] as? Int } ?? []
    }

    private func stepNumber(_ message: [String: Any]) -> Int? { (message["data"] as? [String: Any])?["step"] as? Int }

    @Test func `the listing comes first and then each step once`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        try await monitor.accept(Payload.step(1))
        let subscriber = try await Subscriber(monitor)
        let listing = try await subscriber.receive()
        #expect(listing["type"] as? String == "initial_runs")
        #expect((listing["data"] as? [String: Any])?.keys.sorted() == ["r"])
        for number in 2..<20 {
            try await monitor.accept(Payload.step(number))
            let message = try await subscriber.receive()
            #expect(message["type"] as? String == "new_metrics")
            #expect(message["run_id"] as? String == "r")
            #expect(stepNumber(message) == number)
        }
    }

    @Test func `a history is followed by every later step and no earlier one`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        for number in 0..<300 { try await monitor.accept(Payload.step(number)) }
        let subscriber = try await Subscriber(monitor)
        #expect(try await subscriber.receive()["type"] as? String == "initial_runs")
        async let posting: Void = {
            for number in 300..<500 { try await monitor.accept(Payload.step(number)) }
        }()
        try await subscriber.send(#"{"action":"subscribe_run","run_id":"r"}"#)
        var seen: [Int] = []
        var fromHistory: [Int] = []
        while seen.last != 499 && fromHistory.last != 499 {
            let message = try await subscriber.receive()
            if message["type"] as? String == "run_history" {
                fromHistory = steps(message)
                seen = []
            } else if let number = stepNumber(message) {
                seen.append(number)
            }
        }
        try await posting
        if fromHistory.isEmpty {
            // All steps were stored before the action was handled.
            fromHistory = steps(try await subscriber.receive())
            seen = []
        }
        #expect(fromHistory + seen == Array(0..<500))
    }

    @Test func `actions are answered and mistakes explained`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        for (action, type, text) in [
            (#"{"action":"ping"}"#, "pong", nil),
            (#"{"action":"subscribe_run","run_id":"x"}"#, "error", "Run 'x' not found"),
            ("nonsense", "error", "Invalid JSON format"),
        ] as [(String, String, String?)] {
            try await subscriber.send(action)
            let answer = try await subscriber.receive()
            #expect(answer["type"] as? String == type)
            #expect(answer["message"] as? String == text)
        }
        try await subscriber.channel.writeInbound(WebSocketMessage.binary(ByteBuffer(bytes: [1])))
        #expect(try await subscriber.receive()["close"] as? UInt16 == 1003)
    }

    @Test func `a shutdown sends the queued messages before the close frame`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        for number in 0..<5 { try await monitor.accept(Payload.step(number)) }
        let channel = subscriber.channel
        try await channel.eventLoop.submit {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }.get()
        var numbers: [Int] = []
        var message = try await subscriber.receive()
        while let number = stepNumber(message) {
            numbers.append(number)
            message = try await subscriber.receive()
        }
        #expect(numbers == Array(0..<5))
        #expect(message["close"] as? UInt16 == 1001)
    }

    /// A subscriber with a login session, its authenticator, which uses the channel's clock, and the session's cookie.
    private func loggedIn(_ monitor: Monitor) async throws -> (Subscriber, Authenticator, cookie: String) {
        let channel = NIOAsyncTestingChannel()
        let loop = channel.testingEventLoop
        let entry = TokenTable.Entry(name: "viewer", scopes: [.read], digest: [1])
        let authenticator = Authenticator(table: TokenTable(entries: [entry]), digest: { $0 }, clock: { loop.now })
        let cookie = String(authenticator.beginSession(for: entry, port: 1, secure: false).prefix { $0 != ";" })
        let outcome = authenticator.identify(["Cookie": cookie], peer: "p", port: 1)
        guard case .known(let identity) = outcome else { throw ChannelError.operationUnsupported }
        let access = AccessGrant(authenticator: authenticator, source: identity.source, scope: .read)
        let subscriber = try await Subscriber(monitor, on: channel, access: access)
        #expect(try await subscriber.receive()["type"] as? String == "initial_runs")
        return (subscriber, authenticator, cookie)
    }

    @Test func `a session that expires closes the connection`() async throws {
        let (subscriber, authenticator, _) = try await loggedIn(Monitor(configuration: MonitorConfiguration()))
        await subscriber.channel.testingEventLoop.advanceTime(by: .hours(12) - .nanoseconds(1))
        try await subscriber.send(#"{"action":"ping"}"#)
        #expect(try await subscriber.receive()["type"] as? String == "pong")
        await subscriber.channel.testingEventLoop.advanceTime(by: .nanoseconds(1))
        #expect(try await subscriber.receive()["close"] as? UInt16 == 1008)
        #expect(authenticator.observedGrantCount == 0)
    }

    @Test func `queued messages are dropped when the access ends`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let (subscriber, authenticator, cookie) = try await loggedIn(monitor)
        try await subscriber.channel.eventLoop.submit {
            subscriber.channel.isWritable = false
            subscriber.channel.pipeline.fireChannelWritabilityChanged()
        }.get()
        for number in 0..<5 { try await monitor.accept(Payload.step(number)) }
        _ = authenticator.endSession(["Cookie": cookie], port: 1, secure: false)
        #expect(try await subscriber.receive()["close"] as? UInt16 == 1008)
        try await subscriber.channel.eventLoop.submit {
            subscriber.channel.isWritable = true
            subscriber.channel.pipeline.fireChannelWritabilityChanged()
        }.get()
        #expect(try await subscriber.channel.readOutbound(as: WebSocketOutbound.self) == nil)
    }

    @Test func `the access of a closed connection is no longer observed`() async throws {
        let (subscriber, authenticator, _) = try await loggedIn(Monitor(configuration: MonitorConfiguration()))
        #expect(authenticator.observedGrantCount == 1)
        try await subscriber.channel.close().get()
        #expect(authenticator.observedGrantCount == 0)
    }

    @Test func `a closed connection is unsubscribed`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.receive()
        let connection = ObjectIdentifier(subscriber.channel)
        #expect(monitor.subscribers.count == 1 && monitor.subscribers.contains(connection))
        try await subscriber.channel.close().get()
        #expect(monitor.subscribers.count == 0 && !monitor.subscribers.contains(connection))
    }
}
