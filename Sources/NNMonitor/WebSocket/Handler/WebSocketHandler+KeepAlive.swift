import NIOCore
import NIOWebSocket

/// The timers of the keep-alive: a ping in each interval, and the time within which the peer must say something.
extension WebSocketHandler {
    func schedulePing(_ context: ChannelHandlerContext) {
        pingTimer?.cancel()
        pingTimer = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.pingInterval) { [self] in
            guard state == .open else { return }
            schedulePing(context)
            // Behind what the peer has not taken yet a ping says nothing; how long that may last is not decided here.
            guard context.channel.isWritable else { return }
            send(.ping, ByteBuffer(), context)
            if keepAlive.sentPing() { awaitPong(context) }
        }
    }

    /// Begins the time for the answer, anew if it runs.
    func awaitPong(_ context: ChannelHandlerContext) {
        pongTimer?.cancel()
        let round = keepAlive.deadlineBegan()
        pongTimer = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.pongTimeout) { [self] in
            if keepAlive.deadlineCame(round) { drop(context) }
        }
    }

    func stopKeepAlive() {
        pingTimer?.cancel()
        pongTimer?.cancel()
    }

    func cancelTimers() {
        stopKeepAlive()
        closeTimer?.cancel()
    }
}
