import Foundations
import MonitorCore
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing
import WebSocket

@testable import MonitorAPI

/// How a history is made and sent while the connection makes it wait.
@Suite struct HistoryMessageTests {
    /// Forwards the channel's events, as a session does.
    private final class EventForwarder: ChannelInboundHandler {
        typealias InboundIn = WebSocketMessage

        let writability: WritabilityWaiter

        init(_ channel: any Channel) { writability = WritabilityWaiter(channel) }

        func channelWritabilityChanged(context: ChannelHandlerContext) { writability.writabilityChanged() }
        func channelInactive(context: ChannelHandlerContext) { writability.end() }
    }

    /// A connection whose writes the test releases.
    private struct Connection {
        let channel = NIOAsyncTestingChannel()
        let transport: NIOLoopBound<HeldTransport>
        let writability: NIOLoopBound<WritabilityWaiter>

        init() async throws {
            let channel = channel
            try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
            (transport, writability) = try await channel.eventLoop.submit {
                let transport = HeldTransport()
                let forwarder = EventForwarder(channel)
                try channel.pipeline.syncOperations.addHandlers([transport, forwarder])
                return (
                    NIOLoopBound(transport, eventLoop: channel.eventLoop),
                    NIOLoopBound(forwarder.writability, eventLoop: channel.eventLoop)
                )
            }.get()
        }

        func heldCount() async throws -> Int {
            let transport = transport
            return try await channel.eventLoop.submit { transport.value.count }.get()
        }

        func releaseOne() async throws {
            let transport = transport
            try await channel.eventLoop.submit { transport.value.releaseOne() }.get()
        }

        /// The next frame: its first byte and its payload.
        func frame() async throws -> (first: UInt8, payload: [UInt8]) {
            guard case .prepared(var frame) = try await channel.waitForOutboundWrite(as: WebSocketOutbound.self) else {
                throw ChannelError.operationUnsupported
            }
            let start = frame.readBytes(length: 2)
            let header = try #require(start)
            switch header[1] {
            case 126: _ = frame.readInteger(as: UInt16.self)
            case 127: _ = frame.readInteger(as: UInt64.self)
            default: break
            }
            return (header[0], Array(frame.readableBytesView))
        }
    }

    private func snapshot(steps: Int) async throws -> RunSnapshot {
        let store = MemoryStore(limits: StoreLimits())
        for number in 0..<steps { _ = await store.append(try Payload.step(number, layers: 20)) }
        return try #require(await store.snapshot(of: "r"))
    }

    @Test func `the pieces are small and are sent one at a time and in order`() async throws {
        let snapshot = try await snapshot(steps: 500)
        var encoder = HistoryEncoder.message(RunHistory(snapshot), form: .nested(.full))
        var whole = JSONWriter()
        #expect(try await encoder.next(into: &whole, size: .max))
        let step = whole.bytes.count / 500 + 100

        let connection = try await Connection()
        async let sending: Void = HistoryMessage.send(
            .message(RunHistory(snapshot), form: .nested(.full)), deflate: nil, to: connection.channel,
            connection.writability)
        var text: [UInt8] = []
        var opcodes: [UInt8] = []
        var isLast = false
        while !isLast {
            while try await connection.heldCount() == 0 { await Task.yield() }
            #expect(try await connection.heldCount() == 1)
            try await connection.releaseOne()
            let (first, payload) = try await connection.frame()
            #expect(payload.count <= (opcodes.isEmpty ? 16 : 48) * 1024 + step)
            text += payload
            opcodes.append(first & 0x0F)
            isLast = first & 0x80 != 0
        }
        try await sending
        #expect(text == whole.bytes)
        #expect(opcodes == [1] + Array(repeating: 0, count: opcodes.count - 1))
        #expect(opcodes.count > 10)
    }

    @Test func `a connection that closes ends it`() async throws {
        let snapshot = try await snapshot(steps: 500)
        let connection = try await Connection()
        let (channel, writability) = (connection.channel, connection.writability)
        let sending = Task {
            try await HistoryMessage.send(
                .message(RunHistory(snapshot), form: .nested(.lite)), deflate: nil, to: channel, writability)
        }
        while try await connection.heldCount() == 0 { await Task.yield() }
        try await channel.close().get()
        await #expect(throws: ChannelError.ioOnClosedChannel) { try await sending.value }
    }
}
