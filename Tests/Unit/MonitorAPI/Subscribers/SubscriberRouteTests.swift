import MonitorCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPService
@testable import MonitorAPI

/// The decision on a subscriber's handshake, before its answer is sent.
@Suite struct SubscriberRouteTests {
    private func decision(_ monitor: Monitor) throws -> UpgradeDecision {
        let headers: HTTPHeaders = [
            "Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ]
        guard case .upgrade(let upgrader) = SubscriberRoute(monitor).route.action else {
            throw ChannelError.operationUnsupported
        }
        return upgrader(
            HTTPRequestHead(version: .http1_1, method: .GET, uri: "/ws", headers: headers),
            HTTPRequest(method: .GET, path: "/ws", headers: headers))
    }

    private func status(_ decision: UpgradeDecision?) -> HTTPResponseStatus? {
        switch decision {
        case .accept: .switchingProtocols
        case .reject(let response): response.status
        case nil: nil
        }
    }

    @Test func `a subscriber is counted before its handshake is answered`() throws {
        var configuration = MonitorConfiguration()
        configuration.maximumSubscribers = 1
        let monitor = Monitor(configuration: configuration)
        var first: UpgradeDecision? = try decision(monitor)
        #expect(monitor.subscribers.count == 1)
        // Two handshakes on different event loops cannot both get the last place.
        #expect(status(first) == .switchingProtocols)
        #expect(status(try decision(monitor)) == .serviceUnavailable)
        // The connection cannot be upgraded after all.
        first = nil
        #expect(monitor.subscribers.count == 0)
        #expect(status(try decision(monitor)) == .switchingProtocols)
    }

    @Test func `a subscriber leaves its place when its connection closes`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        guard case .accept(_, let install) = try decision(monitor) else {
            Issue.record("the handshake was rejected")
            return
        }
        try await channel.eventLoop.flatSubmit { install(channel) }.get()
        #expect(monitor.subscribers.count == 1 && monitor.subscribers.contains(ObjectIdentifier(channel)))
        try await channel.close().get()
        #expect(monitor.subscribers.count == 0)
    }

    @Test func `no subscriber is accepted while the server stops`() throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        monitor.subscribers.close()
        let refused = try decision(monitor)
        #expect(status(refused) == .serviceUnavailable)
        #expect(monitor.subscribers.count == 0)
    }
}
