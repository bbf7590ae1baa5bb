import NIOCore

/// The network of a test: holds what is written until it is let through.
final class Dam: ChannelOutboundHandler {
    typealias OutboundIn = Any

    private var context: ChannelHandlerContext?
    private var held: [(data: NIOAny, promise: EventLoopPromise<Void>?)] = []
    private(set) var closes = 0

    /// Writes that wait.
    var count: Int { held.count }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        for write in held { write.promise?.fail(ChannelError.ioOnClosedChannel) }
        held = []
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        held.append((data, promise))
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        closes += 1
        context.close(mode: mode, promise: promise)
    }

    /// Lets the oldest write through.
    func letThrough() {
        guard !held.isEmpty else { return }
        let write = held.removeFirst()
        context?.writeAndFlush(write.data, promise: write.promise)
    }
}

@available(*, unavailable)
extension Dam: Sendable {}
