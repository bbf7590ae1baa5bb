/// Decides when a silent peer is considered gone. It does no I/O: the handler owns the timers and reports events.
struct KeepAlive {
    /// Whether a ping was sent and nothing has arrived since.
    private var isAwaiting = false
    /// Whether a read is outstanding, so that bytes of the peer would arrive.
    private var isReading = true
    /// Whether the current read has delivered data.
    private var hasRead = false
    /// The number of the last timeout; earlier ones are ignored.
    private var round = 0

    /// A ping was sent.
    ///
    /// - Returns: whether to start the pong timeout: false while an earlier ping is unanswered and its timeout runs.
    mutating func sentPing() -> Bool {
        defer { isAwaiting = true }
        return !isAwaiting
    }

    /// Bytes arrived from the peer: a running timeout no longer counts.
    mutating func received() {
        hasRead = true
        isAwaiting = false
    }

    /// The channel has completed a read.
    ///
    /// If the read delivered data, silence does not count until the application reads again. If it delivered nothing (a
    /// part of a TLS record, for example), the handlers before this one read again without an event.
    mutating func readEnded() {
        if hasRead { isReading = false }
        hasRead = false
    }

    /// The application called `read`, and the handler holds the call back.
    mutating func readHeldBack() { isReading = false }

    /// A read of the application is passed to the channel.
    ///
    /// - Returns: whether to restart the pong timeout, because a pong may have been waiting to be read.
    mutating func readBegan() -> Bool {
        defer { isReading = true }
        return isAwaiting && !isReading
    }

    /// The pong timeout starts or restarts.
    ///
    /// - Returns: the number of this timeout.
    mutating func timeoutStarted() -> Int {
        round += 1
        return round
    }

    /// A pong timeout has passed.
    ///
    /// A cancelled timer still fires if it is due in the same tick of the event loop as the task that cancels it, which
    /// happens when ping interval and pong timeout are equal. So `round` must be the last one.
    ///
    /// - Returns: whether the peer is gone.
    mutating func timeoutPassed(_ round: Int) -> Bool {
        guard round == self.round else { return false }
        defer { isAwaiting = false }
        return isAwaiting && isReading
    }
}
