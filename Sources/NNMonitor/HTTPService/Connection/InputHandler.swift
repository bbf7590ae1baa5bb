import NIOCore

/// Stands before the decoder and gives it bytes only when the connection says so, one message at a time. What waits is
/// kept by the connection.
final class InputHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: HTTPConnection
    private var context: ChannelHandlerContext?

    init(connection: HTTPConnection) {
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.connection.bytesArrived(Self.unwrapInboundIn(data))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The end of the input has its place behind the bytes before it.
        if event as? ChannelEvent == .inputClosed, self.connection.holdsInput {
            self.connection.input.hasEnded = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Gives the decoder bytes.
    func decode(_ piece: ByteBuffer) {
        self.context?.fireChannelRead(Self.wrapInboundOut(piece))
    }

    /// Tells the decoder and whoever stands behind that there will be no more.
    func endInput() {
        self.context?.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    /// Completes `promise` when everything that was written before has left.
    func whenWritten(_ promise: EventLoopPromise<Void>) {
        guard let context = self.context else { return promise.fail(ChannelError.ioOnClosedChannel) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}

@available(*, unavailable)
extension InputHandler: Sendable {}
