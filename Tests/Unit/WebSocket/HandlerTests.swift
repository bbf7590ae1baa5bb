import Compression
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import WebSocket

@Suite struct HandlerTests {
    @Test func `Messages are received and sent`() throws {
        let channel = try TestChannel.connect()
        try channel.writeInbound(ClientFrames.text("hello"))
        #expect(try channel.readInbound(as: WebSocketMessage.self) == .text(ByteBuffer(string: "hello")))
        channel.writeAndFlush(WebSocketOutbound.text(ByteBuffer(string: "hi")), promise: nil)
        #expect(
            try channel.sentFrames() == [
                ServerFrame(opcode: 1, isFinal: true, isCompressed: false, payload: Array("hi".utf8))
            ]
        )
        _ = try channel.finish()
    }

    @Test func `A ping gets a pong, a close frame gets its code back`() throws {
        let channel = try TestChannel.connect()
        try channel.writeInbound(ClientFrames.frame(0x9, [7]))
        #expect(try channel.sentFrames() == [ServerFrame(opcode: 10, isFinal: true, isCompressed: false, payload: [7])])
        try channel.writeInbound(ClientFrames.close(3000, reason: Array("bye".utf8)))
        #expect(try channel.sentFrames() == [.close(3000)])
        #expect(!channel.isActive)
    }

    @Test func `Each interval has a ping, and a missing pong closes the channel`() throws {
        let channel = try TestChannel.connect()
        for _ in 0..<3 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(19))
            #expect(try channel.sentFrames().isEmpty)
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            #expect(try channel.sentFrames().map(\.opcode) == [9])
            try channel.writeInbound(ClientFrames.frame(0xA))
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(20))
        #expect(try channel.sentFrames().map(\.opcode) == [9])
        channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        #expect(try channel.sentFrames().isEmpty)
    }

    @Test func `The close handshake sends 1001 and waits for the peer's close frame until the close timeout`() throws {
        for answers in [true, false] {
            let channel = try TestChannel.connect()
            channel.stop()
            #expect(try channel.sentFrames() == [.close(1001, "the server is stopping")])
            #expect(channel.isActive)
            #expect(throws: ChannelError.ioOnClosedChannel) {
                try channel.writeAndFlush(WebSocketOutbound.text(ByteBuffer())).wait()
            }
            if answers {
                try channel.writeInbound(ClientFrames.close(1001))
            } else {
                channel.embeddedEventLoop.advanceTime(by: .seconds(2))
            }
            #expect(!channel.isActive)
            #expect(try channel.sentFrames().isEmpty)
        }
    }

    @Test(arguments: [nil, DeflateParameters(), DeflateParameters(serverMaxWindowBits: 9)])
    func `The fragments of a long text are one message`(deflate: DeflateParameters?) throws {
        let pieces = (0..<20).map { String(repeating: "piece \($0) ", count: 1000) }
        let encoder = FragmentedTextEncoder(deflate: deflate)
        var frames: [ServerFrame] = []
        for (index, piece) in pieces.enumerated() {
            var bytes = try encoder.frame(
                Array(piece.utf8), isFirst: index == 0, isLast: index == pieces.count - 1)
            frames.append(try #require(ServerFrame.read(&bytes)))
            #expect(bytes.readableBytes == 0)
        }
        #expect(frames.map(\.opcode) == [1] + Array(repeating: 0, count: frames.count - 1))
        #expect(frames.map(\.isFinal) == Array(repeating: false, count: frames.count - 1) + [true])
        #expect(frames.map(\.isCompressed) == [deflate != nil] + Array(repeating: false, count: frames.count - 1))
        var text = ByteBuffer(bytes: frames.flatMap(\.payload))
        if let deflate {
            var inflater = try Inflater(
                format: .raw(windowBits: deflate.serverMaxWindowBits),
                limits: ExpansionLimits(maximumSize: .max, maximumRatio: .max))
            var output = ByteBuffer()
            text.writeBytes([0, 0, 0xFF, 0xFF])
            try inflater.inflate(&text, into: &output)
            text = output
        }
        #expect(String(buffer: text) == pieces.joined())
    }

    @Test func `Each message is compressed independently, unless it is short`() throws {
        let encoder = WebSocketFrameEncoder(deflate: DeflateParameters())
        let long = ByteBuffer(string: String(repeating: "activation ", count: 100))
        var first = encoder.text(long)
        var second = encoder.text(long)
        #expect(first == second)
        #expect(ServerFrame.read(&first)?.isCompressed == true)
        #expect(ServerFrame.read(&second)?.payload.count ?? .max < 100)
        var short = encoder.text(ByteBuffer(string: "short"))
        #expect(ServerFrame.read(&short)?.isCompressed == false)
        var narrow = WebSocketFrameEncoder(deflate: DeflateParameters(serverMaxWindowBits: 8)).text(long)
        #expect(ServerFrame.read(&narrow)?.isCompressed == false)
    }
}
