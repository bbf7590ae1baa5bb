import NIOCore

/// Precedes the decoder and forwards bytes to it only when the connection requests them, one message at a time. The
/// connection holds undecoded bytes.
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
        // The end of the input must not overtake the bytes held before it.
        if event as? ChannelEvent == .inputClosed, self.connection.holdsInput {
            self.connection.input.hasEnded = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Forwards bytes to the decoder.
    func decode(_ piece: ByteBuffer) {
        self.context?.fireChannelRead(Self.wrapInboundOut(piece))
    }

    /// Signals the end of the input to the decoder and the handlers after it.
    func endInput() {
        self.context?.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    /// Completes `promise` when all earlier writes are done.
    func whenWritten(_ promise: EventLoopPromise<Void>) {
        guard let context = self.context else { return promise.fail(ChannelError.ioOnClosedChannel) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}

@available(*, unavailable)
extension InputHandler: Sendable {}
