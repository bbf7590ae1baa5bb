import NIOCore
import NIOEmbedded
import NIOWebSocket
import Turns

@testable import WebSocket

/// Makes embedded channels with a `WebSocketHandler`; the test controls their clock and bytes.
enum TestChannel {
    static let configuration = WebSocketConfiguration(
        pingInterval: .seconds(20), pongTimeout: .seconds(5), closeTimeout: .seconds(2))

    /// Reads again after each read, like a socket channel with `autoRead`.
    private final class AutoRead: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelReadComplete(context: ChannelHandlerContext) {
            context.fireChannelReadComplete()
            context.pipeline.read()
        }
    }

    /// Makes an active channel; `before` are handlers on the network's side of the `WebSocketHandler`, `after` on the
    /// application's.
    static func connect(
        deflate: DeflateParameters? = nil, before: [any ChannelHandler] = [], after: [any ChannelHandler] = [],
        configuration: WebSocketConfiguration = configuration, loop: EmbeddedEventLoop = EmbeddedEventLoop(),
        turns: TurnQueue? = nil
    ) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandlers(before + [AutoRead()])
        try channel.pipeline.syncOperations.addHandler(
            WebSocketHandler(configuration: configuration, deflate: deflate, turns: turns))
        try channel.pipeline.syncOperations.addHandlers(after)
        try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }
}

extension EmbeddedChannel {
    /// Returns the frames sent since the last call.
    func sentFrames() throws -> [ServerFrame] {
        var wire = ByteBuffer()
        while let part = try readOutbound(as: ByteBuffer.self) { wire.writeImmutableBuffer(part) }
        var frames: [ServerFrame] = []
        while let frame = ServerFrame.read(&wire) { frames.append(frame) }
        return frames
    }

    /// Begins the close handshake, as an application does when the server stops.
    func stop() {
        writeAndFlush(WebSocketOutbound.close(.goingAway, reason: "the server is stopping"), promise: nil)
    }

    /// Changes the writability of the channel and fires the event.
    func setWritable(_ isWritable: Bool) {
        self.isWritable = isWritable
        pipeline.fireChannelWritabilityChanged()
    }
}

extension ServerFrame {
    static func close(_ code: UInt16, _ reason: String = "") -> ServerFrame {
        ServerFrame(
            opcode: 8, isFinal: true, isCompressed: false,
            payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
    }
}
