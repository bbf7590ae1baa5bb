/// When the silence of a peer that was pinged says that it is gone.
///
/// A pure state: the handler owns the timers and tells it what happens.
struct KeepAlive {
    private var isAwaiting = false
    private var isReading = true
    private var hasRead = false
    /// Counts deadlines: only the one that began last counts.
    private var round = 0

    /// A ping was sent.
    ///
    /// - Returns: whether a deadline begins. While an earlier ping is unanswered its deadline holds.
    mutating func sentPing() -> Bool {
        defer { isAwaiting = true }
        return !isAwaiting
    }

    /// Something came from the peer, whatever it was. A deadline that runs says nothing any more.
    mutating func heard() {
        hasRead = true
        isAwaiting = false
    }

    /// A read has ended. Once it has brought something, and until the application asks for more, the silence is ours. A
    /// read that brought nothing, as of a part of a TLS record, is followed by another without a word.
    mutating func readEnded() {
        if hasRead { isReading = false }
        hasRead = false
    }

    /// The application asks for more, and gets it later.
    mutating func readHeldBack() { isReading = false }

    /// The application asks for more.
    ///
    /// - Returns: whether the deadline begins anew: an answer may have been waiting to be read.
    mutating func readBegan() -> Bool {
        defer { isReading = true }
        return isAwaiting && !isReading
    }

    /// A deadline begins, in place of one that runs.
    ///
    /// - Returns: its number.
    mutating func deadlineBegan() -> Int {
        round += 1
        return round
    }

    /// A deadline has come. That of an earlier ping comes in spite of its timer's being cancelled when both are due in
    /// the same turn of the event loop, as they are where the interval is as long as the timeout.
    ///
    /// - Returns: whether the peer is gone.
    mutating func deadlineCame(_ round: Int) -> Bool {
        guard round == self.round else { return false }
        defer { isAwaiting = false }
        return isAwaiting && isReading
    }
}
