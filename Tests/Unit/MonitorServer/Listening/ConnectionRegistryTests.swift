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

    @Test func `Finishing requests waits for request connections and not for subscribers`() async throws {
        let registry = ConnectionRegistry(limit: 10, limitPerAddress: 10)
        let request = try await connection("10.0.0.1")
        let subscriber = try await connection("10.0.0.1")
        #expect(registry.admit(request) && registry.admit(subscriber))
        registry.becameSubscriber(subscriber)
        async let finished: Void = registry.finishRequests()
        try await request.close().get()
        await finished
        #expect(registry.count == 1)
        async let ended: Void = registry.closeAll()
        await ended
        #expect(!subscriber.isActive)
    }
}
