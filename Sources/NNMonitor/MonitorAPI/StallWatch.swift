import NIOCore
import NIOWebSocket
import WebSocket

/// Closes a subscriber with 1008 when it takes none of its pending bytes for a set time.
///
/// The timer runs only while the channel is not writable. A slow subscriber that takes some bytes in each period is not
/// closed.
final class StallWatch {
    private let context: ChannelHandlerContext
    private let timeout: TimeAmount
    private var timer: Scheduled<Void>?
    /// The number of timers started: a timer that is cancelled in the turn of the event loop in which it is due still
    /// fires.
    private var round = 0

    init(context: ChannelHandlerContext, timeout: TimeAmount) {
        self.context = context
        self.timeout = timeout
    }

    /// The channel's writability has changed.
    func writabilityChanged() {
        timer?.cancel()
        timer = nil
        if !context.channel.isWritable { check(after: pendingBytes) }
    }

    /// Stops the timer: the session has ended.
    func end() {
        timer?.cancel()
        timer = nil
    }

    /// The bytes that the channel holds because the peer has not taken them.
    private var pendingBytes: Int? { try? context.channel.syncOptions?.getOption(.bufferedWritableBytes) }

    private func check(after before: Int?) {
        round += 1
        let round = round
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
            guard timer != nil, round == self.round else { return }
            let now = pendingBytes
            if let before, let now, now < before {
                check(after: now)
            } else {
                let message = WebSocketOutbound.close(.policyViolation, reason: "too slow")
                context.writeAndFlush(NIOAny(message), promise: nil)
            }
        }
    }
}

@available(*, unavailable)
extension StallWatch: Sendable {}
