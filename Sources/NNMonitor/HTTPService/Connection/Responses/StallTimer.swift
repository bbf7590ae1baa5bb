package import NIOCore

/// Detects a client that accepts too few of the bytes which the connection holds for it: none for a set time, or fewer
/// than a minimum rate requires. Reports the progress of a response whose memory is reserved. Runs only on the
/// connection's event loop.
///
/// The timer runs only while the client has bytes to accept, so time that the server needs to produce them does not
/// count.
package final class StallTimer {
    /// A response under way whose memory is reserved.
    private struct Response {
        let progress: ResponseReservation.Progress
        let number: UInt64
        var written = 0
        var hasWaited = false
    }

    private let context: ChannelHandlerContext
    /// How long a client may accept nothing.
    package var timeout: TimeAmount
    private var rate: RateWatch
    private let onStall: () -> Void
    private let onDrop: () -> Void
    private var timer = LazyTimer()
    /// When the client last accepted bytes, and how many bytes were unsent then; nil while it has none to accept.
    private var stalled: (since: NIODeadline, bytes: Int)?
    private var response: Response?
    private var responseCount: UInt64 = 0

    /// Creates a timer that does not run yet.
    ///
    /// - Parameters:
    ///   - context: the context of a handler of the connection.
    ///   - timeout: how long a client may accept nothing.
    ///   - rate: the minimum rate.
    ///   - onStall: called when the client is too slow.
    ///   - onDrop: called when the memory of the response under way is needed for others.
    package init(
        context: ChannelHandlerContext, timeout: TimeAmount, rate: RateWatch, onStall: @escaping () -> Void,
        onDrop: @escaping () -> Void
    ) {
        self.context = context
        self.timeout = timeout
        self.rate = rate
        self.onStall = onStall
        self.onDrop = onDrop
    }

    /// Runs the timer while the channel is not writable.
    package func writabilityChanged() {
        if context.channel.isWritable { progressed() } else { watch(isWaiting: true) }
    }

    /// Runs the timer while the client has bytes to accept, and stops it otherwise.
    package func watch(isWaiting: Bool) {
        guard isWaiting else { return progressed() }
        let now = context.eventLoop.now
        if stalled == nil {
            let bytes = unsentBytes
            stalled = (now, bytes)
            rate.begin(bytes: bytes, now: now)
            response?.hasWaited = true
            reportProgress(now)
        }
        arm(now)
    }

    /// Records that the client has accepted bytes, even if later writes make the channel unwritable again.
    package func progressed() {
        guard stalled != nil else { return }
        stalled = nil
        rate.end(bytes: unsentBytes, now: context.eventLoop.now)
    }

    /// Stops the timer for good.
    package func end() {
        stalled = nil
        response = nil
        timer.cancel()
    }

    /// The bytes that the channel holds because the client has not accepted them.
    package var unsentBytes: Int {
        // Without the option no progress is visible, and the connection times out. All NIO channels support it.
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    // MARK: Progress

    /// Reports the progress of a response from now on, instead of the one before it.
    package func begin(_ progress: ResponseReservation.Progress) {
        responseCount += 1
        response = Response(progress: progress, number: responseCount)
    }

    /// Records that bytes of the response were written.
    package func wrote(_ bytes: Int) {
        guard response != nil else { return }
        response?.written += bytes
        reportProgress(context.eventLoop.now)
    }

    /// Ends the reports: the response is sent, or broken off.
    package func endResponse() { response = nil }

    /// Reports what the client has accepted of a response that waits for it, or has waited, so that it may be dropped
    /// in favor of others.
    private func reportProgress(_ now: NIODeadline) {
        guard let response, response.hasWaited else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let number = response.number
        response.progress.report(taken: max(0, response.written - unsentBytes), now: now) {
            { loop.execute { bound.value.drop(number) } }
        }
    }

    private func drop(_ number: UInt64) {
        if response?.number == number { onDrop() }
    }

    // MARK: Timer

    private func arm(_ now: NIODeadline) {
        guard let stalled else { return }
        var deadline = stalled.since + timeout
        if let end = rate.deadline { deadline = min(deadline, end) }
        if let response { deadline = min(deadline, now + response.progress.interval) }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer.arm(deadline, on: context.eventLoop) { bound.value.fired() }
    }

    private func fired() {
        timer.fired()
        guard let stalled else { return }
        let now = context.eventLoop.now
        // No bytes are added while the client has bytes to accept, so a lower count means that it accepted some.
        let bytes = unsentBytes
        var isTooSlow = rate.isTooSlow(bytes: bytes, now: now)
        if now >= stalled.since + timeout {
            isTooSlow = isTooSlow || bytes >= stalled.bytes
            self.stalled = (now, bytes)
        }
        guard !isTooSlow else {
            self.stalled = nil
            return onStall()
        }
        reportProgress(now)
        arm(now)
    }
}

@available(*, unavailable)
extension StallTimer: Sendable {}
