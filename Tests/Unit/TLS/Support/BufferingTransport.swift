import NIOCore

/// A transport that can hold writes and their promises, like a socket whose peer does not read.
final class BufferingTransport: ChannelOutboundHandler {
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

    /// Holds writes from now on.
    func hold() {
        isHolding = true
    }

    /// Passes on the held writes, and later ones immediately.
    func release() {
        isHolding = false
        for (data, promise) in take() { context?.write(data, promise: promise) }
        context?.flush()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isHolding { held.append((data, promise)) } else { context.write(data, promise: promise) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // Like a socket, lose unsent writes when both directions close.
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
