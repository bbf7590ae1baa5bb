import Logging
import NIOCore
import SystemPackage
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Pauses accepting on the listening channel while the process cannot take another connection. Clients wait in the
/// kernel's queue and are accepted afterwards.
///
/// - At `capacity` open connections, it pauses until one closes. So the descriptor limit itself is never reached: the
///   process needs descriptors of its own, and libdispatch aborts when it cannot read `/proc/self/task`.
/// - When accept(2) fails for lack of descriptors or memory, it pauses for `interval`. The connection stays in the
///   queue and the listening socket stays readable, so without a pause the same error would repeat in a busy loop.
///
/// An episode of pauses is logged twice, at its start and at its end, regardless of the number of connections. It ends
/// when no pause was needed for `quiet`, so that a server at its limit does not log an episode for each connection.
final class AcceptBackoff: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// Open connections. Incremented on the listening channel's event loop, decremented on the connection's.
    private final class Connections: Sendable {
        let count = Atomic<Int>(0)
        /// Whether the listening channel waits for a connection to close.
        let areAwaited = Atomic<Bool>(false)
    }

    private let capacity: Int
    private let interval: TimeAmount
    private let quiet: TimeAmount
    private let logger: Logger

    private let connections = Connections()
    private var retry: Scheduled<Void>?
    private var end: Scheduled<Void>?
    private var firstPause: NIODeadline?
    private var lastPause = NIODeadline.uptimeNanoseconds(0)

    /// - Parameters:
    ///   - capacity: Open connections at which accepting pauses. NIO accepts up to four at a time, so up to three more
    ///     may be open.
    ///   - interval: The pause after accept(2) has failed.
    ///   - quiet: The time without a pause after which an episode ends.
    ///   - logger: Logs the start and the end of an episode.
    init(capacity: Int, interval: TimeAmount = .milliseconds(100), quiet: TimeAmount = .seconds(10), logger: Logger) {
        self.capacity = capacity
        self.interval = interval
        self.quiet = quiet
        self.logger = logger
    }

    // MARK: Capacity

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let count = connections.count.add(1, ordering: .sequentiallyConsistent).newValue
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        unwrapInboundIn(data).closeFuture.whenComplete { [connections] _ in
            connections.count.subtract(1, ordering: .sequentiallyConsistent)
            guard connections.areAwaited.load(ordering: .sequentiallyConsistent) else { return }
            eventLoop.execute { bound.value.0.connectionClosed(bound.value.1) }
        }
        if count >= capacity {
            recordPause("the open connections use all descriptors that the limit of open files permits", context)
            connections.areAwaited.store(true, ordering: .sequentiallyConsistent)
            updateReading(context)
        }
        context.fireChannelRead(data)
    }

    private func connectionClosed(_ context: ChannelHandlerContext) {
        lastPause = context.eventLoop.now
        updateReading(context)
    }

    // MARK: Failures

    /// Whether the error reports a shortage that may end: descriptors of this process or of the machine, or memory of
    /// the kernel (accept(2)).
    static func isTemporary(_ error: IOError) -> Bool {
        [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, Self.isTemporary(error) else {
            context.fireErrorCaught(error)
            return
        }
        recordPause("\(Errno(rawValue: error.errnoCode))", context)
        guard retry == nil else { return }
        retry = context.eventLoop.assumeIsolated().scheduleTask(in: interval) { [self] in
            retry = nil
            updateReading(context)
        }
        updateReading(context)
    }

    // MARK: Reading

    /// Accepts while there is capacity and no pause after a failure is running.
    private func updateReading(_ context: ChannelHandlerContext) {
        // Checked after `areAwaited` was set: a connection that closed before then did not schedule an update.
        if connections.count.load(ordering: .sequentiallyConsistent) < capacity {
            connections.areAwaited.store(false, ordering: .sequentiallyConsistent)
        }
        let reads = retry == nil && !connections.areAwaited.load(ordering: .sequentiallyConsistent)
        // Fails only on a closed channel, which reads nothing.
        try? context.channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    private func cancel() {
        connections.areAwaited.store(false, ordering: .sequentiallyConsistent)
        retry?.cancel()
        end?.cancel()
        retry = nil
        end = nil
    }

    // MARK: Log

    private func recordPause(_ reason: String, _ context: ChannelHandlerContext) {
        lastPause = context.eventLoop.now
        guard firstPause == nil else { return }
        firstPause = lastPause
        logger.warning(
            "accepting pauses: no file descriptor is free; raise the limit of open files with ulimit -n",
            metadata: ["reason": "\(reason)", "connections": "\(connections.count.load(ordering: .relaxed))"])
        scheduleEnd(at: lastPause + quiet, context)
    }

    private func scheduleEnd(at deadline: NIODeadline, _ context: ChannelHandlerContext) {
        end = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
            let now = context.eventLoop.now
            if connections.areAwaited.load(ordering: .relaxed) { lastPause = now }
            guard lastPause + quiet <= now, let began = firstPause else {
                scheduleEnd(at: lastPause + quiet, context)
                return
            }
            end = nil
            firstPause = nil
            let seconds = (lastPause - began).nanoseconds / 1_000_000_000
            logger.notice("accepting connections again without pauses", metadata: ["seconds": "\(seconds)"])
        }
    }
}

@available(*, unavailable)
extension AcceptBackoff: Sendable {}
