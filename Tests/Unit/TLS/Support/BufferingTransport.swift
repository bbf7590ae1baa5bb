import NIOCore

/// A network that can be stopped: while it is, what is written waits here with its promises, as it does in a socket's
/// buffer whose peer takes nothing.
final class HeldNetwork: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private var isHolding = false
    private var held: [(data: NIOAny, promise: EventLoopPromise<Void>?)] = []
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        fail()
    }

    func hold() {
        isHolding = true
    }

    /// Lets everything through that waits, and what comes later.
    func release() {
        isHolding = false
        for (data, promise) in take() { context?.write(data, promise: promise) }
        context?.flush()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isHolding { held.append((data, promise)) } else { context.write(data, promise: promise) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // As a socket does: what waits is lost when all is closed.
        if mode == .all { fail() }
        context.close(mode: mode, promise: promise)
    }

    private func fail() {
        for (_, promise) in take() { promise?.fail(ChannelError.ioOnClosedChannel) }
    }

    private func take() -> [(data: NIOAny, promise: EventLoopPromise<Void>?)] {
        defer { held = [] }
        return held
    }
}
