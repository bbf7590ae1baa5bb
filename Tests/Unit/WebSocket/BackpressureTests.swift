import Compression
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import WebSocket

/// The handler with a slow peer, a slow application, or either of them violating the protocol.
@Suite struct BackpressureTests {
    /// A transport that counts reads and can buffer writes.
    private final class Network: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        var reads = 0
        var isBuffering = false
        private var buffered: [(NIOAny, EventLoopPromise<Void>?)] = []

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if isBuffering { buffered.append((data, promise)) } else { context.write(data, promise: promise) }
        }

        /// Like a socket channel, unlike an embedded one, `.output` closes one direction only. Closing the channel
        /// fails buffered writes.
        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            guard mode != .output else {
                promise?.succeed()
                return
            }
            for (_, promise) in buffered { promise?.fail(ChannelError.ioOnClosedChannel) }
            buffered = []
            context.close(mode: mode, promise: promise)
        }

        func release(_ context: ChannelHandlerContext) {
            isBuffering = false
            for (data, promise) in buffered { context.writeAndFlush(data, promise: promise) }
            buffered = []
        }
    }

    /// An application that does not read while `isHolding`.
    private final class PausedReader: ChannelDuplexHandler {
        typealias InboundIn = WebSocketMessage
        typealias OutboundIn = WebSocketOutbound

        var isHolding = true

        func read(context: ChannelHandlerContext) {
            if !isHolding { context.read() }
        }
    }

    @Test func `The channel does not read while it is unwritable`() throws {
        let network = Network()
        let channel = try TestChannel.connect(before: [network])
        channel.setWritable(false)
        for _ in 0..<3 { channel.read() }
        #expect(network.reads == 0)
        channel.setWritable(true)
        #expect(network.reads == 1)
        channel.setWritable(false)
        channel.setWritable(true)
        #expect(network.reads == 1)
    }

    @Test func `The pong timeout restarts when a read that was held back continues`() throws {
        let channel = try TestChannel.connect()
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(try channel.sentFrames().map(\.opcode) == [9])
        channel.setWritable(false)
        channel.read()
        channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        channel.setWritable(true)
        channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `No ping is sent while the channel is unwritable`() throws {
        let channel = try TestChannel.connect()
        channel.setWritable(false)
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(channel.isActive)
        #expect(try channel.sentFrames().isEmpty)
    }

    @Test func `The channel closes only after the close frame was sent`() throws {
        let network = Network()
        let channel = try TestChannel.connect(before: [network])
        network.isBuffering = true
        try channel.writeInbound(ClientFrames.close(1000))
        #expect(channel.isActive)
        network.release(try channel.pipeline.syncOperations.context(handler: network))
        #expect(try channel.sentFrames() == [.close(1000)])
        #expect(!channel.isActive)
    }

    @Test func `A close frame that cannot be sent delays closing until the close timeout`() throws {
        let network = Network()
        let channel = try TestChannel.connect(before: [network])
        network.isBuffering = true
        try channel.writeInbound(ClientFrames.close(1000))
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func `The peer's close frame is read even if the application does not read`() throws {
        let network = Network()
        let channel = try TestChannel.connect(before: [network], after: [PausedReader()])
        #expect(network.reads == 0)
        try channel.writeInbound(ClientFrames.text("before"))
        #expect(network.reads == 0)
        channel.stop()
        #expect(network.reads == 1)
        for _ in 0..<3 { try channel.writeInbound(ClientFrames.text("after")) }
        #expect(network.reads == 4)
        try channel.writeInbound(ClientFrames.close(1001))
        #expect(!channel.isActive)
    }

    @Test func `After a violation the input is discarded until the close timeout`() throws {
        let network = Network()
        let channel = try TestChannel.connect(before: [network])
        try channel.writeInbound(ClientFrames.frame(0x3))
        #expect(try channel.sentFrames() == [.close(1002, "reserved opcode")])
        let reads = network.reads
        try channel.writeInbound(ClientFrames.text("more"))
        #expect(network.reads > reads)
        #expect(try channel.readInbound(as: WebSocketMessage.self) == nil)
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func `The end of the input closes the channel immediately`() throws {
        for breaksTheProtocolFirst in [false, true] {
            let channel = try TestChannel.connect(before: [Network()])
            if breaksTheProtocolFirst {
                try channel.writeInbound(ClientFrames.frame(0x3))
                #expect(try channel.sentFrames() == [.close(1002, "reserved opcode")])
            }
            #expect(channel.isActive)
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            #expect(!channel.isActive)
        }
    }

    @Test func `The pong timeout restarts when the application reads again`() throws {
        let application = PausedReader()
        let channel = try TestChannel.connect(after: [application])
        try channel.writeInbound(ClientFrames.text("the last that is read"))
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(try channel.sentFrames().map(\.opcode) == [9])
        channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        application.isHolding = false
        channel.read()
        channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `The pong timeout does not count while the application does not read`() throws {
        let channel = try TestChannel.connect(after: [PausedReader()])
        try channel.writeInbound(ClientFrames.text("the last that is read"))
        channel.embeddedEventLoop.advanceTime(by: .seconds(100))
        #expect(channel.isActive)
        #expect(try channel.sentFrames().map(\.opcode) == [9, 9, 9, 9, 9])
    }

    @Test func `The pong timeout counts after a read without data`() throws {
        let channel = try TestChannel.connect(after: [PausedReader()])
        channel.pipeline.fireChannelReadComplete()
        channel.embeddedEventLoop.advanceTime(by: .seconds(25))
        #expect(!channel.isActive)
    }

    @Test func `A pong ends only the timeout of its ping`() throws {
        let channel = try TestChannel.connect()
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        try channel.writeInbound(ClientFrames.frame(0xA))
        // The second ping is unanswered; the pong ended the timeout of the first.
        channel.embeddedEventLoop.advanceTime(by: .seconds(24))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `A message between the fragments of another one is rejected`() throws {
        let channel = try TestChannel.connect()
        let encoder = FragmentedTextEncoder(deflate: nil)
        let first = try encoder.frame(Array("one ".utf8), isFirst: true, isLast: false)
        let last = try encoder.frame(Array("two".utf8), isFirst: false, isLast: true)
        let other = WebSocketFrameEncoder(deflate: nil).text(ByteBuffer(string: "other"))

        #expect(throws: WebSocketSendError.nothingToContinue) {
            try channel.writeAndFlush(WebSocketOutbound.prepared(last)).wait()
        }
        // The error is also fired, for writes without a promise.
        #expect(throws: WebSocketSendError.nothingToContinue) { try channel.throwIfErrorCaught() }
        try channel.writeAndFlush(WebSocketOutbound.prepared(first)).wait()
        for message in [
            WebSocketOutbound.prepared(other), .prepared(first), .text(ByteBuffer(string: "other")),
            .binary(ByteBuffer()),
        ] {
            #expect(throws: WebSocketSendError.messageUnderWay) { try channel.writeAndFlush(message).wait() }
        }
        #expect(throws: WebSocketSendError.messageUnderWay) { try channel.throwIfErrorCaught() }
        try channel.writeInbound(ClientFrames.frame(0x9))
        try channel.writeAndFlush(WebSocketOutbound.prepared(last)).wait()
        try channel.writeAndFlush(WebSocketOutbound.prepared(other)).wait()
        #expect(try channel.sentFrames().map(\.opcode) == [1, 10, 0, 1])
    }
}
