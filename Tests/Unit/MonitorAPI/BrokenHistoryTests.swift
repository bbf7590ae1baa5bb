import MonitorCore
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing
import WebSocket

@testable import MonitorAPI

/// A close in the middle of a history, on a connection whose peer has stopped reading.
@Suite struct BrokenHistoryTests {
    /// The handlers that the test inspects on the event loop.
    private final class Parts {
        let transport = HeldTransport(capacity: 2)
        let session: SubscriberSession

        init(_ monitor: Monitor) throws {
            session = try SubscriberSession(monitor: monitor, deflate: nil, access: nil)
        }
    }

    /// A client's frame, with a mask of zeros.
    private func frame(_ first: UInt8, _ text: String) -> ByteBuffer {
        ByteBuffer(bytes: [first, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + text.utf8)
    }

    @Test func `the close frame is still sent`() async throws {
        let monitor = Monitor(configuration: MonitorConfiguration())
        for number in 0..<500 { try await monitor.accept(Payload.step(number, layers: 20)) }
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        let parts = try await channel.eventLoop.submit {
            let parts = try Parts(monitor)
            try channel.pipeline.syncOperations.addHandlers([
                parts.transport, WebSocketHandler(configuration: WebSocketConfiguration(), deflate: nil), parts.session,
            ])
            return NIOLoopBound(parts, eventLoop: channel.eventLoop)
        }.get()
        func held() async throws -> Int { try await channel.eventLoop.submit { parts.value.transport.count }.get() }
        func release() async throws { try await channel.eventLoop.submit { parts.value.transport.releaseOne() }.get() }
        func firstByte() async throws -> UInt8? {
            try await release()
            return try await channel.waitForOutboundWrite(as: ByteBuffer.self).readableBytesView.first
        }

        while try await held() == 0 { await Task.yield() }
        #expect(try await firstByte() == 0x81)
        try await channel.writeInbound(frame(0x81, #"{"action":"subscribe_run","run_id":"r"}"#))
        while try await held() < 2 { await Task.yield() }
        try await channel.writeInbound(frame(0x82, "binary"))
        #expect(try await held() == 3)
        // The pieces already written. The next one fails, since nothing may follow the close frame.
        #expect(try await firstByte() == 0x01)
        #expect(try await firstByte() == 0x00)
        let answer = try await channel.eventLoop.submit { parts.value.session.answer }.get()
        await answer?.value
        #expect(try await channel.eventLoop.submit { parts.value.transport.closes }.get() == 0)
        #expect(try await held() == 1)
        try await release()
        var close = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        #expect(close.readInteger(as: UInt8.self) == 0x88)
        close.moveReaderIndex(forwardBy: 1)
        #expect(close.readInteger(as: UInt16.self) == 1003)
    }
}
