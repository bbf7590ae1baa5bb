import NIOCore
import NIOWebSocket

/// The timers of `KeepAlive`: the ping interval and the pong timeout.
extension WebSocketHandler {
    func schedulePing(_ context: ChannelHandlerContext) {
        pingTimer?.cancel()
        pingTimer = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.pingInterval) { [self] in
            guard state == .open else { return }
            schedulePing(context)
            // A ping would wait behind unsent data and prove nothing. Stalled writes are limited by the application.
            guard context.channel.isWritable else { return }
            send(.ping, ByteBuffer(), context)
            if keepAlive.sentPing() { awaitPong(context) }
        }
    }

    /// Starts or restarts the pong timeout.
    func awaitPong(_ context: ChannelHandlerContext) {
        pongTimer?.cancel()
        let round = keepAlive.timeoutStarted()
        pongTimer = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.pongTimeout) { [self] in
            if keepAlive.timeoutPassed(round) { drop(context) }
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
