import NIOCore
import NIOEmbedded

@testable import WebSocket

/// The server's end of a connection: the handler on a channel whose clock and bytes the test holds.
enum ServerEnd {
    static let configuration = WebSocketConfiguration(
        pingInterval: .seconds(20), pongTimeout: .seconds(5), closeTimeout: .seconds(2))

    /// Asks for more after each read, as a socket's channel does by itself.
    private final class AutoRead: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelReadComplete(context: ChannelHandlerContext) {
            context.fireChannelReadComplete()
            context.pipeline.read()
        }
    }

    /// Connects a channel with the handler on it.
    ///
    /// - Parameters:
    ///   - deflate: what was negotiated.
    ///   - before: handlers nearer to the network.
    ///   - after: handlers nearer to the application.
    /// - Returns: the channel, active.
    /// - Throws: nothing that a test expects.
    static func connect(
        deflate: DeflateParameters? = nil, before: [any ChannelHandler] = [], after: [any ChannelHandler] = []
    ) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers(before + [AutoRead()])
        try channel.pipeline.syncOperations.addHandler(
            WebSocketHandler(configuration: configuration, deflate: deflate))
        try channel.pipeline.syncOperations.addHandlers(after)
        try channel.connect(to: .init(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }
}

extension EmbeddedChannel {
    /// The frames that went out since the last call.
    func sentFrames() throws -> [ServerFrame] {
        var wire = ByteBuffer()
        while let part = try readOutbound(as: ByteBuffer.self) { wire.writeImmutableBuffer(part) }
        var frames: [ServerFrame] = []
        while let frame = ServerFrame.read(&wire) { frames.append(frame) }
        return frames
    }

    /// Lets the channel seem full, or not any more.
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
