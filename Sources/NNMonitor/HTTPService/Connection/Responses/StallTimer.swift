package import NIOCore

/// Detects a client that accepts none of the bytes which the connection holds for it, for a set time. Runs only on the
/// connection's event loop.
///
/// Each byte that the client accepts restarts the time, so a slow client that keeps reading is not stalled.
package final class StallTimer {
    private let context: ChannelHandlerContext
    private let timeout: TimeAmount
    private let onStall: () -> Void
    private var timer = LazyTimer()
    /// When the client last accepted bytes, and how many bytes were unsent then.
    private var stalled: (since: NIODeadline, bytes: Int)?

    /// Creates a timer that does not run yet.
    ///
    /// - Parameters:
    ///   - context: the context of a handler of the connection.
    ///   - timeout: how long a client may accept nothing.
    ///   - onStall: called when that time is over.
    package init(context: ChannelHandlerContext, timeout: TimeAmount, onStall: @escaping () -> Void) {
        self.context = context
        self.timeout = timeout
        self.onStall = onStall
    }

    /// Runs the timer while the client has bytes to accept, and stops it otherwise.
    package func watch(isWaiting: Bool) {
        guard isWaiting else {
            stalled = nil
            return
        }
        let stalled = self.stalled ?? (context.eventLoop.now, unsentBytes)
        self.stalled = stalled
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer.arm(stalled.since + timeout, on: context.eventLoop) { bound.value.fired() }
    }

    /// Records that the client has accepted bytes, even if later writes make the channel unwritable again.
    package func progressed() { stalled = nil }

    /// Stops the timer for good.
    package func end() {
        stalled = nil
        timer.cancel()
    }

    /// The bytes that the channel holds because the client has not accepted them.
    package var unsentBytes: Int {
        // Without the option no progress is visible, and the connection times out. All NIO channels support it.
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    private func fired() {
        timer.fired()
        guard let stalled else { return }
        let now = context.eventLoop.now
        if now >= stalled.since + timeout {
            // No bytes are added while the client has bytes to accept, so a lower count means that it accepted some.
            let bytes = unsentBytes
            guard bytes < stalled.bytes else {
                self.stalled = nil
                return onStall()
            }
            self.stalled = (now, bytes)
        }
        watch(isWaiting: true)
    }
}

@available(*, unavailable)
extension StallTimer: Sendable {}
