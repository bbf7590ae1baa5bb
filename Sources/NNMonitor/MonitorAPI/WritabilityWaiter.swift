import NIOCore

/// Tells when a connection can take more. Lives on the connection's event loop; a session tells it what happens.
final class WriteRoom {
    private let channel: any Channel
    private var promise: EventLoopPromise<Void>?
    private var isEnded = false

    init(_ channel: any Channel) { self.channel = channel }

    /// When the connection can take more, which may be now; fails when it closes.
    func available() -> EventLoopFuture<Void> {
        if isEnded { return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        if channel.isWritable { return channel.eventLoop.makeSucceededVoidFuture() }
        let promise = self.promise ?? channel.eventLoop.makePromise()
        self.promise = promise
        return promise.futureResult
    }

    func writabilityChanged() {
        guard channel.isWritable else { return }
        let promise = self.promise
        self.promise = nil
        promise?.succeed()
    }

    func end() {
        isEnded = true
        promise?.fail(ChannelError.ioOnClosedChannel)
        promise = nil
    }
}

@available(*, unavailable)
extension WriteRoom: Sendable {}
