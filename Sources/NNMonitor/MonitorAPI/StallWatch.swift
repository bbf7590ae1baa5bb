import HTTPService
import NIOCore
import NIOWebSocket
import WebSocket

/// Closes a subscriber with 1008 when it takes none of its pending bytes for a set time, or fewer than a minimum rate
/// requires. Pongs and other messages of the subscriber make no difference.
///
/// The timer runs only while the channel is not writable.
final class StallWatch {
    private let context: ChannelHandlerContext
    private let timeout: TimeAmount
    private var rate: RateWatch
    /// When the peer last took bytes, and how many were pending then; `nil` while the channel is writable.
    private var stalled: (since: NIODeadline, bytes: Int)?
    private var timer: Scheduled<Void>?
    /// The number of timers started: a timer that is cancelled in the turn of the event loop in which it is due still
    /// fires.
    private var round = 0
    /// An answer under way: its memory, and the bytes of it that were written.
    private var answer: (progress: ResponseReservation.Progress, written: Int, hasWaited: Bool)?
    private let onDrop: () -> Void

    /// - Parameters:
    ///   - context: the session's handler.
    ///   - timeout: how long the peer may take nothing.
    ///   - rate: the minimum rate.
    ///   - onDrop: called on the event loop when the memory of the answer under way is needed for others.
    init(context: ChannelHandlerContext, timeout: TimeAmount, rate: RateWatch, onDrop: @escaping () -> Void) {
        self.context = context
        self.timeout = timeout
        self.rate = rate
        self.onDrop = onDrop
    }

    /// The channel's writability has changed.
    func writabilityChanged() {
        timer?.cancel()
        timer = nil
        let now = context.eventLoop.now
        let bytes = pendingBytes
        if context.channel.isWritable {
            stalled = nil
            rate.end(bytes: bytes, now: now)
        } else {
            stalled = (now, bytes)
            rate.begin(bytes: bytes, now: now)
            answer?.hasWaited = true
            reportProgress(now)
            schedule(now)
        }
    }

    /// An answer begins: it reports its progress from now on.
    func answerBegins(_ progress: ResponseReservation.Progress) { answer = (progress, 0, false) }

    /// A piece of the answer was written.
    func wrote(_ bytes: Int) {
        guard answer != nil else { return }
        answer?.written += bytes
        reportProgress(context.eventLoop.now)
    }

    /// The answer has ended.
    func answerEnded() { answer = nil }

    /// Stops the timer: the session has ended.
    func end() {
        timer?.cancel()
        timer = nil
        answer = nil
    }

    /// The bytes that the channel holds because the peer has not taken them.
    private var pendingBytes: Int { (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    private func reportProgress(_ now: NIODeadline) {
        guard let answer, answer.hasWaited else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        answer.progress.report(taken: max(0, answer.written - pendingBytes), now: now) {
            { loop.execute { if bound.value.answer != nil { bound.value.onDrop() } } }
        }
    }

    private func schedule(_ now: NIODeadline) {
        guard let stalled else { return }
        var deadline = stalled.since + timeout
        if let end = rate.deadline { deadline = min(deadline, end) }
        if let answer { deadline = min(deadline, now + answer.progress.interval) }
        round += 1
        let round = round
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
            guard timer != nil, round == self.round else { return }
            fired()
        }
    }

    private func fired() {
        guard let stalled else { return }
        let now = context.eventLoop.now
        let bytes = pendingBytes
        var isTooSlow = rate.isTooSlow(bytes: bytes, now: now)
        if now >= stalled.since + timeout {
            isTooSlow = isTooSlow || bytes >= stalled.bytes
            self.stalled = (now, bytes)
        }
        if isTooSlow {
            let message = WebSocketOutbound.close(.policyViolation, reason: "too slow")
            context.writeAndFlush(NIOAny(message), promise: nil)
        } else {
            reportProgress(now)
            schedule(now)
        }
    }
}

@available(*, unavailable)
extension StallWatch: Sendable {}
