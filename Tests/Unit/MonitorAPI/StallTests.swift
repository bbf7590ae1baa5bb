import MonitorCore
import NIOCore
import NIOEmbedded
import Testing
import WebSocket

@testable import MonitorAPI

/// Subscribers that take nothing, down to the bytes of the close frame, on a channel whose clock the test advances.
@Suite struct StallTests {
    /// The outermost handler: the connection's bytes, below WebSocket.
    private final class Wire: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
    }

    /// A subscriber's connection as the route installs it, after the listing.
    private struct Connection {
        let channel = NIOAsyncTestingChannel()
        let monitor: Monitor

        init(minimumReadRate: Int = 0) async throws {
            var configuration = MonitorConfiguration()
            configuration.stallTimeout = .seconds(30)
            configuration.minimumReadRate = minimumReadRate
            configuration.readRateWindow = .seconds(60)
            let webSocket = WebSocketConfiguration(pingInterval: .hours(1), closeTimeout: .seconds(5))
            configuration.webSocket = webSocket
            let monitor = Monitor(configuration: configuration)
            self.monitor = monitor
            let channel = channel
            try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
            try await channel.eventLoop.submit {
                try channel.pipeline.syncOperations.addHandlers([
                    Wire(), WebSocketHandler(configuration: webSocket, deflate: nil),
                    SubscriberSession(monitor: monitor, deflate: nil, access: nil),
                ])
            }.get()
            let listing = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
            try #require(listing.getInteger(at: listing.readerIndex, as: UInt8.self) == 0x81)
        }

        func setWritable(_ isWritable: Bool) async throws {
            try await channel.eventLoop.submit {
                channel.isWritable = isWritable
                channel.pipeline.fireChannelWritabilityChanged()
            }.get()
        }

        func wait(_ amount: TimeAmount) async { await channel.testingEventLoop.advanceTime(by: amount) }

        /// The peer takes all pending bytes; `count` bytes are pending afterwards.
        func take(leaving count: Int) async throws {
            try await channel.eventLoop.submit {
                let wire = try channel.pipeline.syncOperations.context(handlerType: Wire.self)
                wire.flush()
                wire.write(NIOAny(ByteBuffer(repeating: 0, count: count)), promise: nil)
            }.get()
        }

        /// The bytes sent since the last call.
        func sent() async throws -> [UInt8] {
            var bytes: [UInt8] = []
            while let part = try await channel.readOutbound(as: ByteBuffer.self) { bytes += part.readableBytesView }
            return bytes
        }
    }

    /// 1008, policy violation (RFC 6455 section 7.4.1).
    private let close: [UInt8] = [0x88, 10, 0x03, 0xF0] + Array("too slow".utf8)

    @Test func `a subscriber that takes nothing is closed with 1008`() async throws {
        let connection = try await Connection()
        try await connection.setWritable(false)
        await connection.wait(.milliseconds(29_999))
        #expect(try await connection.sent() == [])
        await connection.wait(.milliseconds(1))
        #expect(try await connection.sent() == close)
        #expect(connection.channel.isActive)
        // The peer does not answer the close frame.
        await connection.wait(.seconds(5))
        #expect(!connection.channel.isActive)
    }

    @Test func `a subscriber that becomes writable in time is not closed`() async throws {
        let connection = try await Connection()
        for _ in 0..<3 {
            try await connection.setWritable(false)
            await connection.wait(.milliseconds(29_999))
            try await connection.setWritable(true)
            await connection.wait(.seconds(60))
        }
        #expect(try await connection.sent() == [])
        #expect(connection.channel.isActive)
    }

    @Test func `a subscriber that takes some bytes in each period is not closed until it takes none`() async throws {
        let connection = try await Connection()
        try await connection.take(leaving: 100)
        try await connection.setWritable(false)
        for left in stride(from: 99, to: 96, by: -1) {
            try await connection.take(leaving: left)
            await connection.wait(.seconds(30))
        }
        #expect(connection.channel.isActive)
        #expect(try await connection.sent().allSatisfy { $0 == 0 })
        await connection.wait(.seconds(30))
        // The pending bytes come first.
        #expect(try await connection.sent() == [UInt8](repeating: 0, count: 97) + close)
    }
    @Test func `a subscriber that takes some bytes in each period, below the minimum rate, is closed`() async throws {
        let connection = try await Connection(minimumReadRate: 1_000)
        try await connection.take(leaving: 100_000)
        try await connection.setWritable(false)
        // 40 000 bytes in a minute; the minimum is 60 000.
        try await connection.take(leaving: 80_000)
        await connection.wait(.seconds(30))
        try await connection.take(leaving: 60_000)
        await connection.wait(.milliseconds(29_999))
        #expect(try await connection.sent().allSatisfy { $0 == 0 })
        await connection.wait(.milliseconds(1))
        #expect(try await connection.sent() == [UInt8](repeating: 0, count: 60_000) + close)
    }

    @Test func `the rate counts over the waits only, however many there are`() async throws {
        let connection = try await Connection(minimumReadRate: 1_000)
        for _ in 0..<10 {
            try await connection.take(leaving: 60_000)
            try await connection.setWritable(false)
            await connection.wait(.seconds(15))
            // 20 000 bytes in 15 s of waiting.
            try await connection.take(leaving: 40_000)
            try await connection.setWritable(true)
            await connection.wait(.seconds(120))
        }
        #expect(connection.channel.isActive)
        #expect(try await connection.sent().allSatisfy { $0 == 0 })
    }
}
