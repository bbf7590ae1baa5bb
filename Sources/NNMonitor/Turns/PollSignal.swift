import NIOCore
import NIOPosix
import SystemPackage

/// Calls a closure from the event loop's next poll.
///
/// It is a pipe that the event loop polls together with its sockets. It becomes readable at once, but the event loop
/// notices only when it polls.
final class PollSignal {
    /// Calls the closure when the pipe is readable.
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let onPoll: () -> Void

        init(_ onPoll: @escaping () -> Void) { self.onPoll = onPoll }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { onPoll() }
    }

    private static let byte = ByteBuffer(bytes: [0])

    /// The channel that owns both ends of the pipe, while it is registered.
    private var channel: (any Channel)?

    /// Makes the signal of an event loop, which must be the current one.
    ///
    /// - Returns: nil if the event loop polls no descriptors, or no descriptor is available.
    init?(eventLoop: any EventLoop, onPoll: @escaping () -> Void) {
        guard let bootstrap = NIOPipeBootstrap(validatingGroup: eventLoop), let pipe = try? FileDescriptor.pipe() else {
            return nil
        }
        let handler = NIOLoopBound(Handler(onPoll), eventLoop: eventLoop)
        bootstrap
            // One read for each poll.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 8))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler.value) }
            }
            .takingOwnershipOfDescriptors(input: pipe.readEnd.rawValue, output: pipe.writeEnd.rawValue)
            .assumeIsolated()
            .whenComplete { [self] result in
                switch result {
                case .success(let channel):
                    self.channel = channel
                    // The end of the event loop closes the channel. A later call of `close` would be an error.
                    channel.closeFuture.assumeIsolated().whenComplete { [weak self] _ in self?.channel = nil }
                case .failure:
                    try? pipe.readEnd.close()
                    try? pipe.writeEnd.close()
                }
            }
    }

    deinit { channel?.close(promise: nil) }

    /// Requests a call from the next poll.
    ///
    /// - Returns: whether it will happen.
    func requestPoll() -> Bool {
        guard let channel, channel.isActive else { return false }
        channel.writeAndFlush(Self.byte, promise: nil)
        return true
    }
}

@available(*, unavailable)
extension PollSignal: Sendable {}
