import NIOCore

/// The timers of `KeepAlive`: the ping interval and the pong timeout.
final class KeepAliveTimers {
    /// The connection that is kept alive.
    protocol Owner: AnyObject {
        /// Sends a ping, if it can be sent now.
        ///
        /// - Returns: whether it was sent.
        func sendPing(_ context: ChannelHandlerContext) -> Bool
        /// The peer has not answered within the timeout.
        func peerIsSilent(_ context: ChannelHandlerContext)
    }

    private let interval: TimeAmount
    private let timeout: TimeAmount
    private var decision = KeepAlive()
    private var pingTimer: Scheduled<Void>?
    private var pongTimer: Scheduled<Void>?
    private var isStopped = false

    /// - Parameters:
    ///   - interval: the time between two pings.
    ///   - timeout: the time after a ping within which bytes must arrive.
    init(interval: TimeAmount, timeout: TimeAmount) {
        self.interval = interval
        self.timeout = timeout
    }

    /// Starts the pings. The timers keep the owner until `stop`.
    func start(_ context: ChannelHandlerContext, for owner: any Owner) {
        pingTimer?.cancel()
        pingTimer = context.eventLoop.assumeIsolated().scheduleTask(in: interval) { [self] in
            // A timer that is cancelled in the turn of the event loop in which it is due still fires.
            guard !isStopped else { return }
            start(context, for: owner)
            if owner.sendPing(context), decision.sentPing() { awaitPong(context, for: owner) }
        }
    }

    /// Stops both timers for good.
    func stop() {
        isStopped = true
        pingTimer?.cancel()
        pongTimer?.cancel()
    }

    /// Bytes arrived from the peer.
    func received() { decision.received() }

    /// The channel has completed a read.
    func readEnded() { decision.readEnded() }

    /// A read of the application is held back.
    func readHeldBack() { decision.readHeldBack() }

    /// A read of the application is passed to the channel: a pong may have been waiting to be read.
    func readBegan(_ context: ChannelHandlerContext, for owner: any Owner) {
        if decision.readBegan() { awaitPong(context, for: owner) }
    }

    private func awaitPong(_ context: ChannelHandlerContext, for owner: any Owner) {
        pongTimer?.cancel()
        let round = decision.timeoutStarted()
        pongTimer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
            if !isStopped, decision.timeoutPassed(round) { owner.peerIsSilent(context) }
        }
    }
}

@available(*, unavailable)
extension KeepAliveTimers: Sendable {}
