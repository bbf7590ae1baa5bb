import NIOCore
import NIOEmbedded

/// A transport that is unwritable after each write and writable after each flush, and fires these events synchronously.
final class SynchronousTransport: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        setWritable(false, context)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        setWritable(true, context)
    }

    private func setWritable(_ isWritable: Bool, _ context: ChannelHandlerContext) {
        guard let channel = context.channel as? EmbeddedChannel, channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }
}

/// Writes a piece each time the channel becomes writable, and counts the pieces that are not sent yet.
final class EagerWriter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let pieceSize = 100_000
    private(set) var piecesLeft = 20
    private(set) var mostWaiting = 0
    private var waiting = 0

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable, piecesLeft > 0 else { return }
        piecesLeft -= 1
        waiting += 1
        mostWaiting = max(mostWaiting, waiting)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in waiting -= 1 }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(repeating: 1, count: Self.pieceSize)), promise: sent)
    }
}
