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

/// Stops accepting, on the listening channel, while there is no room for another connection. Whoever waits in the
/// kernel's queue is accepted when there is room again.
///
/// - As many connections are open as the limit of open files allows: until one closes. The limit itself is never
///   reached, because the process needs files of its own; libdispatch ends the process when it can't read
///   `/proc/self/task`.
/// - The system refuses a connection for lack of descriptors or memory: for `interval`. The connection stays in the
///   queue, so the listening socket stays readable: who went on reading would be told of the same error again at once.
///
/// A time in which this happens is logged twice, at its start and at its end, however many connections it concerns. It
/// is over when there has been room for `quiet`, so that a server at its limit doesn't begin one with every connection.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// Connections that are open, counted in on the listening channel's loop and out on theirs.
    private final class Connections: Sendable {
        let count = Atomic<Int>(0)
        /// Whether the listening channel waits for one to close.
        let areAwaited = Atomic<Bool>(false)
    }

    private let room: Int
    private let interval: TimeAmount
    private let quiet: TimeAmount
    private let logger: Logger

    private let connections = Connections()
    private var retry: Scheduled<Void>?
    private var end: Scheduled<Void>?
    private var firstPause: NIODeadline?
    private var lastPause = NIODeadline.uptimeNanoseconds(0)

    /// - Parameters:
    ///   - room: connections that may be open at once. NIO accepts up to four at a time, so there may be three more.
    ///   - interval: how long nothing is accepted after the system has refused a connection.
    ///   - quiet: how long there must be room before the log says that all is well.
    ///   - logger: where both are said.
    init(room: Int, interval: TimeAmount = .milliseconds(100), quiet: TimeAmount = .seconds(10), logger: Logger) {
        self.room = room
        self.interval = interval
        self.quiet = quiet
        self.logger = logger
    }

    // MARK: Room

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let count = connections.count.add(1, ordering: .sequentiallyConsistent).newValue
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        unwrapInboundIn(data).closeFuture.whenComplete { [connections] _ in
            connections.count.subtract(1, ordering: .sequentiallyConsistent)
            guard connections.areAwaited.load(ordering: .sequentiallyConsistent) else { return }
            eventLoop.execute { bound.value.0.connectionClosed(bound.value.1) }
        }
        if count >= room {
            note("as many connections are open as the limit of open files allows", context)
            connections.areAwaited.store(true, ordering: .sequentiallyConsistent)
            setReading(context)
        }
        context.fireChannelRead(data)
    }

    private func connectionClosed(_ context: ChannelHandlerContext) {
        lastPause = context.eventLoop.now
        setReading(context)
    }

    // MARK: Refusals

    /// Whether the error says that something is used up which others will give back: descriptors of this process or of
    /// the machine, or the kernel's memory (accept(2)).
    static func passes(_ error: IOError) -> Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, Self.passes(error) else {
            context.fireErrorCaught(error)
            return
        }
        note("\(Errno(rawValue: error.errnoCode))", context)
        guard retry == nil else { return }
        retry = context.eventLoop.assumeIsolated().scheduleTask(in: interval) { [self] in
            retry = nil
            setReading(context)
        }
        setReading(context)
    }

    // MARK: Reading

    /// Reads while there is room and no refusal is waited out.
    private func setReading(_ context: ChannelHandlerContext) {
        // One that has closed meanwhile has asked for nothing: so it is looked at after `areAwaited` was set.
        if connections.count.load(ordering: .sequentiallyConsistent) < room {
            connections.areAwaited.store(false, ordering: .sequentiallyConsistent)
        }
        let reads = retry == nil && !connections.areAwaited.load(ordering: .sequentiallyConsistent)
        // It fails on a closed channel only, which reads nothing anyway.
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

    private func note(_ reason: String, _ context: ChannelHandlerContext) {
        lastPause = context.eventLoop.now
        guard firstPause == nil else { return }
        firstPause = lastPause
        logger.warning(
            "accepting pauses: there is no room for another connection; raise the limit of open files",
            metadata: ["reason": "\(reason)", "connections": "\(connections.count.load(ordering: .relaxed))"])
        awaitEnd(at: lastPause + quiet, context)
    }

    private func awaitEnd(at deadline: NIODeadline, _ context: ChannelHandlerContext) {
        end = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
            let now = context.eventLoop.now
            if connections.areAwaited.load(ordering: .relaxed) { lastPause = now }
            guard lastPause + quiet <= now, let began = firstPause else {
                awaitEnd(at: lastPause + quiet, context)
                return
            }
            end = nil
            firstPause = nil
            let seconds = (lastPause - began).nanoseconds / 1_000_000_000
            logger.notice("accepting goes on without a pause", metadata: ["seconds": "\(seconds)"])
        }
    }
}

@available(*, unavailable)
extension AcceptPause: Sendable {}
