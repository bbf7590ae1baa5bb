import NIOCore
import NIOEmbedded

/// The network of a test: holds what is written until it is let through, and is full with so many writes.
final class Dam: ChannelOutboundHandler {
    typealias OutboundIn = Any

    private var context: ChannelHandlerContext?
    private var held: [(data: NIOAny, promise: EventLoopPromise<Void>?)] = []
    private let capacity: Int
    private(set) var closes = 0

    /// Writes that wait.
    var count: Int { held.count }

    init(capacity: Int = 1) { self.capacity = capacity }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        for write in held { write.promise?.fail(ChannelError.ioOnClosedChannel) }
        held = []
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        held.append((data, promise))
        showFullness(context)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        closes += 1
        context.close(mode: mode, promise: promise)
    }

    /// Lets the oldest write through.
    func letThrough() {
        guard !held.isEmpty else { return }
        let write = held.removeFirst()
        guard let context else { return }
        context.writeAndFlush(write.data, promise: write.promise)
        showFullness(context)
    }

    private func showFullness(_ context: ChannelHandlerContext) {
        let isWritable = held.count < capacity
        guard let channel = context.channel as? NIOAsyncTestingChannel, channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        context.fireChannelWritabilityChanged()
    }
}

@available(*, unavailable)
extension Dam: Sendable {}
