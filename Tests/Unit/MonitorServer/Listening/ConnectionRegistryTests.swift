import NIOCore
import NIOEmbedded
import Testing

@testable import MonitorServer

@Suite struct ConnectionRegistryTests {
    private func connection(_ address: String) async throws -> NIOAsyncTestingChannel {
        let channel = NIOAsyncTestingChannel()
        channel.remoteAddress = try SocketAddress(ipAddress: address, port: 1)
        try await channel.connect(to: SocketAddress(ipAddress: address, port: 1)).get()
        return channel
    }

    @Test func `Both limits are enforced, and a closed connection makes room`() async throws {
        let registry = ConnectionRegistry(limit: 3, limitPerAddress: 2)
        let first = try await connection("10.0.0.1")
        #expect(registry.admit(first))
        #expect(registry.admit(try await connection("10.0.0.1")))
        #expect(!registry.admit(try await connection("10.0.0.1")))
        #expect(registry.admit(try await connection("10.0.0.2")))
        #expect(!registry.admit(try await connection("10.0.0.3")))
        #expect(registry.count == 3)
        try await first.close().get()
        #expect(registry.count == 2)
        #expect(registry.admit(try await connection("10.0.0.1")))
    }

    @Test func `Finishing signals the chosen connections and waits for them only`() async throws {
        let registry = ConnectionRegistry(limit: 10, limitPerAddress: 10)
        let request = try await connection("10.0.0.1")
        let subscriber = try await connection("10.0.0.1")
        for channel in [request, subscriber] {
            #expect(registry.admit(channel))
            try await channel.pipeline.addHandler(ClosesOnQuiesce()).get()
        }
        // Chosen on the event loop, where no change of protocol is under way.
        await registry.finish { $0.eventLoop.inEventLoop && $0 !== subscriber }
        #expect(!request.isActive && subscriber.isActive)
        #expect(registry.count == 1)
        // Accepted just before the listening socket closed.
        #expect(!registry.admit(try await connection("10.0.0.1")))
        await registry.finish { _ in true }
        #expect(!subscriber.isActive)
        #expect(registry.count == 0)
    }

    @Test func `Closing all waits for connections that do not finish`() async throws {
        let registry = ConnectionRegistry(limit: 10, limitPerAddress: 10)
        let channel = try await connection("10.0.0.1")
        #expect(registry.admit(channel))
        async let finished: Void = registry.finish { _ in true }
        await registry.closeAll()
        await finished
        #expect(!channel.isActive)
    }
}

private final class ClosesOnQuiesce: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { context.close(promise: nil) }
    }
}
