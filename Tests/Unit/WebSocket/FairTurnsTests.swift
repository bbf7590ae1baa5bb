import Compression
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing
import Turns

@testable import WebSocket

/// Work per connection and turn is bounded, and connections with kept input take turns.
@Suite struct FairTurnsTests {
    /// The messages of all connections in the order of their arrival at the application.
    private final class Arrivals {
        var names: [String] = []
    }

    private final class Application: ChannelInboundHandler {
        typealias InboundIn = WebSocketMessage

        private let name: String
        private let arrivals: Arrivals

        init(_ name: String, _ arrivals: Arrivals) {
            self.name = name
            self.arrivals = arrivals
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { arrivals.names.append(name) }
    }

    /// Counts the reads of the channel.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        var reads = 0

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    /// An application that reads only while `isReading`.
    private final class PausedReader: ChannelOutboundHandler {
        typealias OutboundIn = WebSocketOutbound

        var isReading = false

        func read(context: ChannelHandlerContext) {
            if isReading { context.read() }
        }
    }

    private static let turn = TimeAmount.microseconds(100)

    private func burst(_ count: Int, of frame: ByteBuffer = ClientFrames.text("x")) -> ByteBuffer {
        var burst = ByteBuffer()
        for _ in 0..<count { burst.writeImmutableBuffer(frame) }
        return burst
    }

    private func messages(_ channel: EmbeddedChannel) throws -> Int {
        var count = 0
        while try channel.readInbound(as: WebSocketMessage.self) != nil { count += 1 }
        return count
    }

    @Test func `Between two turns of one connection every other one gets a turn`() throws {
        let loop = EmbeddedEventLoop()
        let turns = TurnQueue(eventLoop: loop)
        let arrivals = Arrivals()
        let channels = try ["a", "b", "c"].map { name in
            try TestChannel.connect(after: [Application(name, arrivals)], loop: loop, turns: turns)
        }
        for channel in channels { try channel.writeInbound(burst(5 * TurnBudget.events)) }
        // A connection whose input fits in a turn does not wait.
        let other = try TestChannel.connect(after: [Application("d", arrivals)], loop: loop, turns: turns)
        try other.writeInbound(ClientFrames.text("x"))
        #expect(arrivals.names.count == 3 * TurnBudget.events + 1)
        loop.advanceTime(by: .milliseconds(10))
        let round = ["a", "b", "c"].flatMap { Array(repeating: $0, count: TurnBudget.events) }
        #expect(arrivals.names == round + ["d"] + round + round + round + round)
    }

    @Test func `A task that is due runs between two turns`() throws {
        let loop = EmbeddedEventLoop()
        let arrivals = Arrivals()
        let channel = try TestChannel.connect(after: [Application("a", arrivals)], loop: loop)
        try channel.writeInbound(burst(3 * TurnBudget.events))
        var seen: [Int] = []
        // The event loop polls when no task is due.
        for _ in 0..<3 {
            loop.run()
            seen.append(arrivals.names.count / TurnBudget.events)
            loop.advanceTime(by: Self.turn)
        }
        #expect(seen == [1, 2, 3])
    }

    @Test func `A turn ends after its bytes, in the middle of a message`() throws {
        let channel = try TestChannel.connect()
        let long = ClientFrames.frame(0x2, [UInt8](repeating: 1, count: TurnBudget.bytes * 3 / 2))
        try channel.writeInbound(long)
        #expect(try messages(channel) == 0)
        channel.embeddedEventLoop.advanceTime(by: Self.turn)
        #expect(try messages(channel) == 1)
    }

    @Test func `A turn ends after its decompressed bytes`() throws {
        var random = SplitMix(state: 1)
        let text = (0..<4000).map { _ in "\(Int.random(in: 0...9, using: &random)) and the same words" }.joined()
        var deflater = try Deflater(format: .raw(windowBits: 15))
        var output = ByteBuffer()
        try deflater.deflate(ByteBuffer(string: String(text.prefix(60_000))), into: &output, flush: .sync)
        let frame = ClientFrames.frame(0x1, Array(output.readableBytesView.dropLast(4)), reserved: 4)
        let channel = try TestChannel.connect(deflate: DeflateParameters(clientNoContextTakeover: true))
        try channel.writeInbound(burst(6, of: frame))
        let inTurn = try messages(channel)
        #expect(inTurn <= 3)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(10))
        #expect(try inTurn + messages(channel) == 6)
    }

    @Test func `A turn decompresses a bounded number of bytes, whatever the limits on messages`() throws {
        let size = 16 << 20
        var deflater = try Deflater(format: .raw(windowBits: 15))
        var output = ByteBuffer()
        try deflater.deflate(ByteBuffer(repeating: 0x20, count: size), into: &output, flush: .sync)
        let frame = ClientFrames.frame(0x2, Array(output.readableBytesView.dropLast(4)), reserved: 4)
        var input = MessageInput(
            configuration: WebSocketConfiguration(maximumMessageSize: 64 << 20, maximumExpansionRatio: 100_000),
            deflate: DeflateParameters())
        input.append(frame)
        var work: [Int] = []
        var event: ReceivedEvent?
        while event == nil && work.count < 1000 {
            let before = input.inflatedBytes
            event = try input.next(at: .uptimeNanoseconds(0))
            work.append(input.inflatedBytes - before)
            input.endTurn()
            input.resume(roundSize: 1)
        }
        #expect(event != nil)
        #expect(work.reduce(0, +) == size)
        #expect(work.max() ?? 0 <= TurnBudget.inflatedBytes + 256 * 1032)
    }

    @Test func `The channel is not read while input is kept`() throws {
        let counter = ReadCounter()
        let channel = try TestChannel.connect(before: [counter])
        let before = counter.reads
        try channel.writeInbound(burst(3 * TurnBudget.events))
        channel.embeddedEventLoop.advanceTime(by: Self.turn)
        #expect(try messages(channel) == 2 * TurnBudget.events)
        for _ in 0..<3 { channel.read() }
        #expect(counter.reads == before)
        channel.embeddedEventLoop.advanceTime(by: Self.turn)
        #expect(try messages(channel) == TurnBudget.events)
        #expect(counter.reads > before)
    }

    @Test func `Kept input waits until the application reads`() throws {
        let application = PausedReader()
        let channel = try TestChannel.connect(after: [application])
        try channel.writeInbound(burst(2 * TurnBudget.events))
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(try messages(channel) == TurnBudget.events)
        application.isReading = true
        channel.read()
        channel.embeddedEventLoop.advanceTime(by: Self.turn)
        #expect(try messages(channel) == TurnBudget.events)
    }

    @Test func `Kept input is handled after the peer has closed its side`() throws {
        let channel = try TestChannel.connect()
        try channel.writeInbound(burst(2 * TurnBudget.events))
        try channel.writeInbound(ClientFrames.close(1000))
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(try messages(channel) == 2 * TurnBudget.events)
        #expect(try channel.sentFrames() == [.close(1000)])
        #expect(!channel.isActive)
    }

    @Test func `The close handshake ends if the peer's close frame is in kept input`() throws {
        let channel = try TestChannel.connect()
        try channel.writeInbound(burst(3 * TurnBudget.events))
        try channel.writeInbound(ClientFrames.close(1001))
        channel.stop()
        #expect(try channel.sentFrames() == [.close(1001, "the server is stopping")])
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
    }

    @Test(arguments: [ClientFrames.text("x"), ClientFrames.frame(0x9), ClientFrames.frame(0xA)])
    func `More messages or control frames than the rate are closed with 1008`(frame: ByteBuffer) throws {
        let configuration = WebSocketConfiguration(maximumMessageRate: 10)
        let channel = try TestChannel.connect(configuration: configuration)
        // A burst of ten seconds' messages is within the rate, and so is one second's after a second.
        try channel.writeInbound(burst(100, of: frame))
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        try channel.writeInbound(burst(10, of: frame))
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(try !channel.sentFrames().contains { $0.opcode == 8 })
        try channel.writeInbound(burst(2, of: frame))
        #expect(try channel.sentFrames().last == .close(1008, "too many messages"))
    }
}
