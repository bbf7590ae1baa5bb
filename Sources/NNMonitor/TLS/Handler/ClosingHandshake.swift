import NIOCore

/// The end of a TLS connection: the promises of those who close it, and the time limit on each of its phases.
final class ClosingHandshake {
    /// Completed when the channel closes.
    private var closed: EventLoopPromise<Void>?
    /// Completed when the output closes.
    private var outputClosed: EventLoopPromise<Void>?
    private var timer: Scheduled<Void>?

    /// Adds a promise to complete when the channel is closed.
    func whenClosed(_ promise: EventLoopPromise<Void>?) { closed.setOrCascade(to: promise) }

    /// Sets the promise to complete when the output is closed.
    func whenOutputClosed(_ promise: EventLoopPromise<Void>?) { outputClosed = promise }

    /// Removes and returns the promise of the output's end.
    func takeOutputPromise() -> EventLoopPromise<Void>? {
        defer { outputClosed = nil }
        return outputClosed
    }

    /// Removes and returns the promise of the channel's end, to pass it to the channel.
    func takePromise() -> EventLoopPromise<Void>? {
        defer { closed = nil }
        return closed
    }

    /// Limits the current phase of the connection: the handshake, closing, or lingering. The limit of an earlier phase
    /// ends.
    func limit(_ context: ChannelHandlerContext, to time: TimeAmount, _ task: @escaping () -> Void) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time, task)
    }

    /// Ends the limit on the current phase.
    func endLimit() {
        timer?.cancel()
        timer = nil
    }

    /// Ends the limit and completes all promises: the channel is closed. Idempotent.
    ///
    /// - Parameter error: the error for those who closed only the output.
    func end(_ error: any Error) {
        endLimit()
        let output = takeOutputPromise()
        let closed = takePromise()
        output?.fail(error)
        // The channel is closed, as requested.
        closed?.succeed()
    }
}

@available(*, unavailable)
extension ClosingHandshake: Sendable {}
