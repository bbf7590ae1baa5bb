import MonitorCore
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing
import WebSocket
import Foundations
import WebSocket

@testable import MonitorAPI

/// How a history is made ready while the network takes it.
@Suite struct HistoryMessageTests {
    /// Tells of the connection what a session would.
    private final class Teller: ChannelInboundHandler {
        typealias InboundIn = WebSocketMessage

        let room: WriteRoom

        init(_ channel: any Channel) { room = WriteRoom(channel) }

        func channelWritabilityChanged(context: ChannelHandlerContext) { room.writabilityChanged() }
        func channelInactive(context: ChannelHandlerContext) { room.end() }
    }

    /// A network, and what came through.
    private struct Network {
        let channel = NIOAsyncTestingChannel()
        let dam: NIOLoopBound<Dam>
        let room: NIOLoopBound<WriteRoom>

        init() async throws {
            let channel = channel
            try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
            (dam, room) = try await channel.eventLoop.submit {
                let dam = Dam()
                let teller = Teller(channel)
                try channel.pipeline.syncOperations.addHandlers([dam, teller])
                return (
                    NIOLoopBound(dam, eventLoop: channel.eventLoop),
                    NIOLoopBound(teller.room, eventLoop: channel.eventLoop)
                )
            }.get()
        }

        func waiting() async throws -> Int {
            let dam = dam
            return try await channel.eventLoop.submit { dam.value.count }.get()
        }

        func letThrough() async throws {
            let dam = dam
            try await channel.eventLoop.submit { dam.value.letThrough() }.get()
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
        let store = MetricsStore(limits: StoreLimits())
        for number in 0..<steps { _ = await store.append(try Payload.step(number, layers: 20)) }
        return try #require(await store.snapshot(of: "r"))
    }

    @Test func thePiecesAreSmallAndComeOneAtATimeAndInOrder() async throws {
        let snapshot = try await snapshot(steps: 500)
        var encoder = HistoryEncoder.message(snapshot, form: .full)
        var whole = JSONWriter()
        #expect(encoder.next(into: &whole, size: .max))
        let step = whole.bytes.count / 500 + 100

        let network = try await Network()
        async let sending: Void = HistoryMessage.send(
            snapshot, form: .full, deflate: nil, to: network.channel, network.room)
        var text: [UInt8] = []
        var opcodes: [UInt8] = []
        var isLast = false
        while !isLast {
            while try await network.waiting() == 0 { await Task.yield() }
            #expect(try await network.waiting() == 1)
            try await network.letThrough()
            let (first, payload) = try await network.frame()
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

    @Test func aConnectionThatClosesEndsIt() async throws {
        let snapshot = try await snapshot(steps: 500)
        let network = try await Network()
        let (channel, room) = (network.channel, network.room)
        let sending = Task {
            try await HistoryMessage.send(snapshot, form: .lite, deflate: nil, to: channel, room)
        }
        while try await network.waiting() == 0 { await Task.yield() }
        try await channel.close().get()
        await #expect(throws: ChannelError.ioOnClosedChannel) { try await sending.value }
    }
}
