import NIOCore

/// Waits until a connection is writable. Used on the connection's event loop; the session forwards the channel's
/// events.
final class WritabilityWaiter {
    private let channel: any Channel
    private var promise: EventLoopPromise<Void>?
    private var isEnded = false
    /// Called after a piece of an answer was written, with its size in bytes.
    var onWrite: ((Int) -> Void)?

    init(_ channel: any Channel) { self.channel = channel }

    /// Completes when the connection is writable, which may be now; fails when it closes.
    func available() -> EventLoopFuture<Void> {
        if isEnded { return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        if channel.isWritable { return channel.eventLoop.makeSucceededVoidFuture() }
        let promise = self.promise ?? channel.eventLoop.makePromise()
        self.promise = promise
        return promise.futureResult
    }

    /// The channel's writability has changed.
    func writabilityChanged() {
        guard channel.isWritable else { return }
        let promise = self.promise
        self.promise = nil
        promise?.succeed()
    }

    /// A piece of an answer was written.
    func wrote(_ bytes: Int) { onWrite?(bytes) }

    /// The connection has closed, or the answer is broken off: fails the current wait and all later ones.
    func end() {
        isEnded = true
        promise?.fail(ChannelError.ioOnClosedChannel)
        promise = nil
    }
}

@available(*, unavailable)
extension WritabilityWaiter: Sendable {}
