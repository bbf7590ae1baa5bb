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

/// A subscriber's session on a channel of the test's, without the WebSocket handler: messages in, messages out.
private struct Subscriber {
    let channel: NIOAsyncTestingChannel

    init(
        _ monitor: Monitor, on channel: NIOAsyncTestingChannel = NIOAsyncTestingChannel(), access: AccessGrant? = nil
    ) async throws {
        self.channel = channel
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(
                SubscriberSession(monitor: monitor, deflate: nil, access: access))
        }.get()
    }

    func say(_ text: String) async throws {
        try await channel.writeInbound(WebSocketMessage.text(ByteBuffer(string: text)))
    }

    /// The next message: whole, its frames joined.
    func hear() async throws -> [String: Any] {
        var text: [UInt8] = []
        while true {
            switch try await channel.waitForOutboundWrite(as: WebSocketOutbound.self) {
            case .text(let message): return try Self.object(Array(message.readableBytesView))
            case .prepared(var frame):
                let start = frame.readBytes(length: 2)
                let header = try #require(start)
                let isLast = header[0] & 0x80 != 0
                switch header[1] {
                case 126: _ = frame.readInteger(as: UInt16.self)
                case 127: _ = frame.readInteger(as: UInt64.self)
                default: break
                }
                text += frame.readableBytesView
                if isLast { return try Self.object(text) }
            case .close(let code, _): return ["close": UInt16(webSocketErrorCode: code)]
            case .binary: throw ChannelError.operationUnsupported
            }
        }
    }

    private static func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }
}

@Suite struct SubscriberSessionTests {
    private func steps(_ history: [String: Any]) -> [Int] {
        let data = history["data"] as? [String: Any]
        return (data?["steps"] as? [[String: Any]])?.compactMap { $0["step"] as? Int } ?? []
    }

    private func stepNumber(_ message: [String: Any]) -> Int? { (message["data"] as? [String: Any])?["step"] as? Int }

    @Test func theListingComesFirstAndThenEachStepOnce() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        await monitor.accept(try Payload.step(1))
        let subscriber = try await Subscriber(monitor)
        let listing = try await subscriber.hear()
        #expect(listing["type"] as? String == "initial_runs")
        #expect((listing["data"] as? [String: Any])?.keys.sorted() == ["r"])
        for number in 2..<20 {
            await monitor.accept(try Payload.step(number))
            let message = try await subscriber.hear()
            #expect(message["type"] as? String == "new_metrics")
            #expect(message["run_id"] as? String == "r")
            #expect(stepNumber(message) == number)
        }
    }

    @Test func aHistoryIsFollowedByEveryLaterStepAndNoEarlierOne() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        for number in 0..<300 { await monitor.accept(try Payload.step(number)) }
        let subscriber = try await Subscriber(monitor)
        #expect(try await subscriber.hear()["type"] as? String == "initial_runs")
        async let posting: Void = {
            for number in 300..<500 { await monitor.accept(try Payload.step(number)) }
        }()
        try await subscriber.say(#"{"action":"subscribe_run","run_id":"r"}"#)
        var seen: [Int] = []
        var fromHistory: [Int] = []
        while seen.last != 499 && fromHistory.last != 499 {
            let message = try await subscriber.hear()
            if message["type"] as? String == "run_history" {
                fromHistory = steps(message)
                seen = []
            } else if let number = stepNumber(message) {
                seen.append(number)
            }
        }
        try await posting
        if fromHistory.isEmpty {
            // All steps came before the question was handled.
            fromHistory = steps(try await subscriber.hear())
            seen = []
        }
        #expect(fromHistory + seen == Array(0..<500))
    }

    @Test func questionsAreAnsweredAndMistakesExplained() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.hear()
        for (question, type, text) in [
            (#"{"action":"ping"}"#, "pong", nil),
            (#"{"action":"subscribe_run","run_id":"x"}"#, "error", "Run 'x' not found"),
            ("nonsense", "error", "Invalid JSON format"),
        ] as [(String, String, String?)] {
            try await subscriber.say(question)
            let answer = try await subscriber.hear()
            #expect(answer["type"] as? String == type)
            #expect(answer["message"] as? String == text)
        }
        try await subscriber.channel.writeInbound(WebSocketMessage.binary(ByteBuffer(bytes: [1])))
        #expect(try await subscriber.hear()["close"] as? UInt16 == 1003)
    }

    @Test func aFarewellComesAfterWhatWaits() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.hear()
        for number in 0..<5 { await monitor.accept(try Payload.step(number)) }
        let channel = subscriber.channel
        try await channel.eventLoop.submit {
            channel.pipeline.fireUserInboundEventTriggered(SubscriberFarewell())
        }.get()
        var numbers: [Int] = []
        var message = try await subscriber.hear()
        while let number = stepNumber(message) {
            numbers.append(number)
            message = try await subscriber.hear()
        }
        #expect(numbers == Array(0..<5))
        #expect(message["close"] as? UInt16 == 1001)
    }

    /// A subscriber with a session, on a channel whose clock is the authenticator's, and the session's cookie.
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
        #expect(try await subscriber.hear()["type"] as? String == "initial_runs")
        return (subscriber, authenticator, cookie)
    }

    @Test func aSessionThatExpiresClosesTheConnection() async throws {
        let (subscriber, authenticator, _) = try await loggedIn(Monitor(configuration: MonitorConfiguration()))
        await subscriber.channel.testingEventLoop.advanceTime(by: .hours(12) - .nanoseconds(1))
        try await subscriber.say(#"{"action":"ping"}"#)
        #expect(try await subscriber.hear()["type"] as? String == "pong")
        await subscriber.channel.testingEventLoop.advanceTime(by: .nanoseconds(1))
        #expect(try await subscriber.hear()["close"] as? UInt16 == 1008)
        #expect(authenticator.observedGrantCount == 0)
    }

    @Test func whatWaitsIsDroppedWhenTheAccessEnds() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let (subscriber, authenticator, cookie) = try await loggedIn(monitor)
        try await subscriber.channel.eventLoop.submit {
            subscriber.channel.isWritable = false
            subscriber.channel.pipeline.fireChannelWritabilityChanged()
        }.get()
        for number in 0..<5 { await monitor.accept(try Payload.step(number)) }
        _ = authenticator.endSession(["Cookie": cookie], port: 1, secure: false)
        #expect(try await subscriber.hear()["close"] as? UInt16 == 1008)
        try await subscriber.channel.eventLoop.submit {
            subscriber.channel.isWritable = true
            subscriber.channel.pipeline.fireChannelWritabilityChanged()
        }.get()
        #expect(try await subscriber.channel.readOutbound(as: WebSocketOutbound.self) == nil)
    }

    @Test func aConnectionThatClosesIsNoLongerObserved() async throws {
        let (subscriber, authenticator, _) = try await loggedIn(Monitor(configuration: MonitorConfiguration()))
        #expect(authenticator.observedGrantCount == 1)
        try await subscriber.channel.close().get()
        #expect(authenticator.observedGrantCount == 0)
    }

    @Test func aClosedConnectionIsForgotten() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let subscriber = try await Subscriber(monitor)
        _ = try await subscriber.hear()
        #expect(await monitor.broadcast.subscriberCount == 1)
        try await subscriber.channel.close().get()
        // It leaves in a task of its own, so ask until it has.
        while await monitor.broadcast.subscriberCount > 0 { await Task.yield() }
    }
}
