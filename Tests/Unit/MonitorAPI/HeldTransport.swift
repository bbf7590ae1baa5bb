import NIOCore
import NIOEmbedded

/// An outbound handler that holds writes until the test releases them. The channel is unwritable while `capacity`
/// writes are held.
final class HeldTransport: ChannelOutboundHandler {
    typealias OutboundIn = Any

    private var context: ChannelHandlerContext?
    private var held: [(data: NIOAny, promise: EventLoopPromise<Void>?)] = []
    private let capacity: Int
    private(set) var closes = 0

    /// The number of held writes.
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
        updateWritability(context)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        closes += 1
        context.close(mode: mode, promise: promise)
    }

    /// Passes on the oldest held write.
    func releaseOne() {
        guard !held.isEmpty else { return }
        let write = held.removeFirst()
        guard let context else { return }
        context.writeAndFlush(write.data, promise: write.promise)
        updateWritability(context)
    }

    private func updateWritability(_ context: ChannelHandlerContext) {
        let isWritable = held.count < capacity
        guard let channel = context.channel as? NIOAsyncTestingChannel, channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        context.fireChannelWritabilityChanged()
    }
}

@available(*, unavailable)
extension HeldTransport: Sendable {}
