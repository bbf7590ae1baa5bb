import NIOCore
import NIOWebSocket
import WebSocket

/// Closes a subscriber that takes nothing of what waits for it for a set time (1008).
///
/// Watches only while the connection cannot take more. A slow subscriber that takes a little in each period is left alone.
final class StallWatch {
    private let context: ChannelHandlerContext
    private let timeout: TimeAmount
    private var timer: Scheduled<Void>?
    /// Counts timers: a cancelled one that is due in the same turn of the event loop comes all the same.
    private var round = 0

    init(context: ChannelHandlerContext, timeout: TimeAmount) {
        self.context = context
        self.timeout = timeout
    }

    func writabilityChanged() {
        timer?.cancel()
        timer = nil
        if !context.channel.isWritable { check(after: waiting) }
    }

    func end() {
        timer?.cancel()
        timer = nil
    }

    /// Bytes that the connection holds and the subscriber's machine has not taken.
    private var waiting: Int? { try? context.channel.syncOptions?.getOption(.bufferedWritableBytes) }

    private func check(after before: Int?) {
        round += 1
        let round = round
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
            guard timer != nil, round == self.round else { return }
            let now = waiting
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
