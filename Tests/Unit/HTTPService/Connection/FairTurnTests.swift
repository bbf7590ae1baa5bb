import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPService

@Suite struct FairTurnTests {
    @Test func `A connection answers one pipelined request per turn of the event loop`() throws {
        let connection = try EmbeddedConnection(Fixture())
        var order: [String] = []
        try connection.channel.writeInbound(
            ByteBuffer(string: String(repeating: "GET /none HTTP/1.1\r\nHost: h\r\n\r\n", count: 3)))
        // Another connection that is ready at the same time: its work is queued behind the first request.
        connection.channel.embeddedEventLoop.execute { order.append("other") }
        let first = try connection.received()
        connection.channel.embeddedEventLoop.run()
        let others = try connection.received()
        #expect(first.ranges(of: "HTTP/1.1 404").count == 1)
        #expect(others.ranges(of: "HTTP/1.1 404").count == 2)
        #expect(order == ["other"])
    }

    @Test func `Reading stops while a pipelined request waits for its turn`() throws {
        let connection = try EmbeddedConnection(Fixture())
        try connection.channel.writeInbound(
            ByteBuffer(string: String(repeating: "GET /none HTTP/1.1\r\nHost: h\r\n\r\n", count: 2)))
        let counter = ReadCounter()
        try connection.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        connection.channel.read()
        #expect(counter.reads == 0)
        connection.channel.embeddedEventLoop.run()
        #expect(counter.reads == 1)
    }
}

/// Counts the reads that reach the socket.
private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var reads = 0

    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }
}

@available(*, unavailable)
extension ReadCounter: Sendable {}
