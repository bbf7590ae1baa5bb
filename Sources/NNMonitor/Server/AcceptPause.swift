import Logging
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Stops accepting for a moment when the system has no descriptor or memory for one more connection.
///
/// The connection that could not be accepted stays in the kernel's queue, so the listening socket stays readable: who
/// went on reading would be told of the same error at once, again and again. Here the listening channel reads nothing
/// until `interval` is over, and then tries again. Whoever waits in the queue meanwhile is accepted when there is room.
///
/// A time in which this happens is logged twice, at its start and at its end, however many connections it concerns. It
/// is over when nothing has failed for `quiet`, so that a server at its limit doesn't begin one with every connection.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private let interval: TimeAmount
    private let quiet: TimeAmount
    private let logger: Logger

    private var retry: Scheduled<Void>?
    private var end: Scheduled<Void>?
    private var firstFailure: NIODeadline?
    private var lastFailure = NIODeadline.uptimeNanoseconds(0)

    /// - Parameters:
    ///   - interval: how long nothing is accepted after a failure.
    ///   - quiet: how long nothing may fail before the log says that all is well.
    ///   - logger: where both are said.
    init(interval: TimeAmount = .milliseconds(100), quiet: TimeAmount = .seconds(10), logger: Logger) {
        self.interval = interval
        self.quiet = quiet
        self.logger = logger
    }

    /// Whether the error says that something is used up which others will give back: descriptors of this process or of
    /// the machine, or the kernel's memory (accept(2)).
    static func passes(_ error: IOError) -> Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, Self.passes(error) else {
            context.fireErrorCaught(error)
            return
        }
        note(error, context)
        guard retry == nil else { return }
        setReading(false, context)
        retry = context.eventLoop.assumeIsolated().scheduleTask(in: interval) { [self] in
            retry = nil
            setReading(true, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    private func cancel() {
        retry?.cancel()
        end?.cancel()
        retry = nil
        end = nil
    }

    private func setReading(_ reads: Bool, _ context: ChannelHandlerContext) {
        // It fails on a closed channel only, which reads nothing anyway.
        try? context.channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    // MARK: Log

    private func note(_ error: IOError, _ context: ChannelHandlerContext) {
        lastFailure = context.eventLoop.now
        guard firstFailure == nil else { return }
        firstFailure = lastFailure
        logger.warning(
            "accepting pauses: the system has no room for another connection; raise its limits or lower MAX_CONNECTIONS",
            metadata: ["reason": "\(String(cString: strerror(error.errnoCode)))"])
        awaitEnd(at: lastFailure + quiet, context)
    }

    private func awaitEnd(at deadline: NIODeadline, _ context: ChannelHandlerContext) {
        end = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
            guard lastFailure + quiet <= context.eventLoop.now, let began = firstFailure else {
                awaitEnd(at: lastFailure + quiet, context)
                return
            }
            end = nil
            firstFailure = nil
            let seconds = (lastFailure - began).nanoseconds / 1_000_000_000
            logger.notice("accepting goes on without a pause", metadata: ["seconds": "\(seconds)"])
        }
    }
}

@available(*, unavailable)
extension AcceptPause: Sendable {}
