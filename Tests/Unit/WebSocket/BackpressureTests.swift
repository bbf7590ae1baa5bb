import Compression
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import WebSocket

/// What the handler does when one of its two sides does not keep up, or breaks its rules.
@Suite struct PressureTests {
    /// Counts what the handler asks of the network, and can keep back what it writes.
    private final class Network: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        var reads = 0
        var isStuck = false
        private var stuck: [(NIOAny, EventLoopPromise<Void>?)] = []

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if isStuck { stuck.append((data, promise)) } else { context.write(data, promise: promise) }
        }

        /// A socket's channel closes one direction only; an embedded one would close both. What is still to be written
        /// fails when all is closed.
        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            guard mode != .output else {
                promise?.succeed()
                return
            }
            for (_, promise) in stuck { promise?.fail(ChannelError.ioOnClosedChannel) }
            stuck = []
            context.close(mode: mode, promise: promise)
        }

        func release(_ context: ChannelHandlerContext) {
            isStuck = false
            for (data, promise) in stuck { context.writeAndFlush(data, promise: promise) }
            stuck = []
        }
    }

    /// An application that asks for no more.
    private final class HeldBack: ChannelDuplexHandler {
        typealias InboundIn = WebSocketMessage
        typealias OutboundIn = WebSocketOutbound

        var isHolding = true

        func read(context: ChannelHandlerContext) {
            if !isHolding { context.read() }
        }
    }

    @Test func aPeerThatTakesNothingIsNotReadFrom() throws {
        let network = Network()
        let channel = try ServerEnd.connect(before: [network])
        channel.setWritable(false)
        for _ in 0..<3 { channel.read() }
        #expect(network.reads == 0)
        channel.setWritable(true)
        #expect(network.reads == 1)
        channel.setWritable(false)
        channel.setWritable(true)
        #expect(network.reads == 1)
    }

    @Test func aPeerThatIsNotReadFromHasItsTimeToAnswerAfterwards() throws {
        let channel = try ServerEnd.connect()
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

    @Test func nothingIsPingedBehindWhatThePeerHasNotTaken() throws {
        let channel = try ServerEnd.connect()
        channel.setWritable(false)
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(channel.isActive)
        #expect(try channel.sentFrames().isEmpty)
    }

    @Test func theCloseFrameIsOutBeforeTheChannelCloses() throws {
        let network = Network()
        let channel = try ServerEnd.connect(before: [network])
        network.isStuck = true
        try channel.writeInbound(ClientFrames.close(1000))
        #expect(channel.isActive)
        network.release(try channel.pipeline.syncOperations.context(handler: network))
        #expect(try channel.sentFrames() == [.close(1000)])
        #expect(!channel.isActive)
    }

    @Test func aCloseFrameThatNeverGetsOutHoldsTheChannelForTheCloseTimeoutOnly() throws {
        let network = Network()
        let channel = try ServerEnd.connect(before: [network])
        network.isStuck = true
        try channel.writeInbound(ClientFrames.close(1000))
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    @Test func thePeersCloseIsReadForAlsoWhereTheApplicationReadsNoMore() throws {
        let network = Network()
        let channel = try ServerEnd.connect(before: [network], after: [HeldBack()])
        #expect(network.reads == 0)
        try channel.writeInbound(ClientFrames.text("before"))
        #expect(network.reads == 0)
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(network.reads == 1)
        for _ in 0..<3 { try channel.writeInbound(ClientFrames.text("after")) }
        #expect(network.reads == 4)
        try channel.writeInbound(ClientFrames.close(1001))
        #expect(!channel.isActive)
    }

    @Test func afterAViolationThePeerHasTimeToReadWhy() throws {
        let network = Network()
        let channel = try ServerEnd.connect(before: [network])
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

    @Test func whoseInputEndedIsClosedAtOnce() throws {
        for breaksTheProtocolFirst in [false, true] {
            let channel = try ServerEnd.connect(before: [Network()])
            if breaksTheProtocolFirst {
                try channel.writeInbound(ClientFrames.frame(0x3))
                #expect(try channel.sentFrames() == [.close(1002, "reserved opcode")])
            }
            #expect(channel.isActive)
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            #expect(!channel.isActive)
        }
    }

    @Test func silenceIsNotHeldAgainstAPeerThatIsNotRead() throws {
        let application = HeldBack()
        let channel = try ServerEnd.connect(after: [application])
        try channel.writeInbound(ClientFrames.text("the last that is read"))
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(try channel.sentFrames().map(\.opcode) == [9])
        channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        application.isHolding = false
        channel.read()
        // From here on the peer has its time again.
        channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func silenceWhileNothingIsReadIsForgotten() throws {
        let channel = try ServerEnd.connect(after: [HeldBack()])
        try channel.writeInbound(ClientFrames.text("the last that is read"))
        channel.embeddedEventLoop.advanceTime(by: .seconds(100))
        #expect(channel.isActive)
        #expect(try channel.sentFrames().map(\.opcode) == [9, 9, 9, 9, 9])
    }

    @Test func silenceIsHeldAgainstAPeerWhoseReadBroughtNothing() throws {
        let channel = try ServerEnd.connect(after: [HeldBack()])
        channel.pipeline.fireChannelReadComplete()
        channel.embeddedEventLoop.advanceTime(by: .seconds(25))
        #expect(!channel.isActive)
    }

    @Test func eachPingHasItsOwnDeadline() throws {
        let channel = try ServerEnd.connect()
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        try channel.writeInbound(ClientFrames.frame(0xA))
        // The second ping is unanswered; the first one's deadline has ended with its answer.
        channel.embeddedEventLoop.advanceTime(by: .seconds(24))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func aMessageBetweenTheFragmentsOfAnotherIsRefused() throws {
        let channel = try ServerEnd.connect()
        let pieces = WebSocketTextPieces(deflate: nil)
        let first = try pieces.frame(Array("one ".utf8), isFirst: true, isLast: false)
        let last = try pieces.frame(Array("two".utf8), isFirst: false, isLast: true)
        let other = WebSocketFrameEncoder(deflate: nil).text(ByteBuffer(string: "other"))

        #expect(throws: WebSocketSendError.nothingToContinue) {
            try channel.writeAndFlush(WebSocketOutbound.prepared(last)).wait()
        }
        // A write without a promise doesn't fail unheard.
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
