import MonitorCore
import NIOCore
import NIOEmbedded
import Testing
import WebSocket

@testable import MonitorAPI

/// What a session writes to a transport that, like TLS, accepts all writes and becomes unwritable at a flush.
@Suite struct SubscriberPressureTests {
    /// Counts the bytes of each flush. The channel is unwritable after the first one.
    private final class Transport: ChannelOutboundHandler {
        typealias OutboundIn = WebSocketOutbound

        let channel: NIOAsyncTestingChannel
        private(set) var flushed: [Int] = []
        private var written = 0

        init(_ channel: NIOAsyncTestingChannel) { self.channel = channel }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            switch unwrapOutboundIn(data) {
            case .prepared(let bytes), .text(let bytes), .binary(let bytes): written += bytes.readableBytes
            case .close: break
            }
            promise?.succeed()
        }

        func flush(context: ChannelHandlerContext) {
            flushed.append(written)
            written = 0
            channel.isWritable = false
        }
    }

    @Test func `a session stops writing when a flush makes the channel unwritable`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        let transport = try await channel.eventLoop.submit {
            let transport = Transport(channel)
            try channel.pipeline.syncOperations.addHandlers([
                transport, SubscriberSession(monitor: monitor, deflate: nil, access: nil),
            ])
            return NIOLoopBound(transport, eventLoop: channel.eventLoop)
        }.get()
        func flushes() async throws -> [Int] { try await channel.eventLoop.submit { transport.value.flushed }.get() }
        // The listing, after which the channel is unwritable.
        while try await flushes().isEmpty { await Task.yield() }
        for number in 0..<200 { try await monitor.accept(Payload.step(number, layers: 20)) }
        try await channel.eventLoop.submit {
            channel.isWritable = true
            channel.pipeline.fireChannelWritabilityChanged()
        }.get()
        let sizes = try await flushes()
        #expect(sizes.count == 2)
        // One flush: 64 KiB, and the step that exceeded them. All 200 steps take a megabyte.
        #expect(sizes[1] >= 64 << 10)
        #expect(sizes[1] < 80 << 10)
    }
}
