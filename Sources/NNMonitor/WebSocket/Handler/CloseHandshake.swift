import NIOCore

/// The close handshake (RFC 6455 section 7): its state, our close frame, and the time limit.
final class CloseHandshake {
    private enum State {
        case open
        /// We sent a close frame and wait for the peer's.
        case closing
        /// Input is ignored; the channel closes once the last bytes have been sent.
        case finished
    }

    private var state = State.open
    private let timeout: TimeAmount
    /// Succeeds once our close frame has been sent.
    private var frameSent: EventLoopFuture<Void>?
    private var timer: Scheduled<Void>?

    /// - Parameter timeout: the time after which the channel closes, from our close frame on.
    init(timeout: TimeAmount) { self.timeout = timeout }

    var isOpen: Bool { state == .open }

    var isFinished: Bool { state == .finished }

    /// We begin the handshake.
    func begin() { state = .closing }

    /// The handshake is complete, or the connection ends without it.
    func finish() { state = .finished }

    /// Makes the promise of our close frame.
    func makeFramePromise(on eventLoop: any EventLoop) -> EventLoopPromise<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        frameSent = promise.futureResult
        return promise
    }

    /// Closes the channel once our close frame, and the writes before it, have been sent.
    func closeWhenSent(_ context: ChannelHandlerContext) {
        frameSent?.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    /// Closes the channel after the timeout.
    func limit(_ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
    }

    /// Ends the time limit: the channel is closed.
    func endLimit() { timer?.cancel() }
}

@available(*, unavailable)
extension CloseHandshake: Sendable {}
