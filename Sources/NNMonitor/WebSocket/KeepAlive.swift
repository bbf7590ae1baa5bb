/// When the silence of a peer that was pinged says that it is gone.
///
/// A pure state: the handler owns the timers and tells it what happens.
struct KeepAlive {
    private var isAwaiting = false
    private var isReading = true
    private var hasRead = false

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

    /// The deadline has come.
    ///
    /// - Returns: whether the peer is gone.
    mutating func deadlineCame() -> Bool {
        defer { isAwaiting = false }
        return isAwaiting && isReading
    }
}
