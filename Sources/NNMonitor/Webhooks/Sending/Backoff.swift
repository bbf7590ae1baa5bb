import NIOCore

/// How long to wait before a message is sent again: exponential backoff with full jitter.
///
/// Full jitter spreads the attempts of servers whose common receiver was down.
struct Backoff: Sendable {
    /// The longest wait before the second attempt.
    let base: TimeAmount
    /// The longest wait of all, also if the receiver asks for a longer one.
    let maximum: TimeAmount

    /// The wait after an attempt that failed.
    ///
    /// - Parameters:
    ///   - attempt: the number of the failed attempt, from 1.
    ///   - retryAfter: how long the receiver asked to wait.
    ///   - random: returns a random number up to and including a bound.
    /// - Returns: at most `maximum`, at least what the receiver asked for within that.
    func delay(
        after attempt: Int, retryAfter: TimeAmount?, random: (Int64) -> Int64 = { .random(in: 0...$0) }
    ) -> TimeAmount {
        var bound = min(base, maximum)
        for _ in 1..<max(1, attempt) where bound < maximum { bound = min(bound * 2, maximum) }
        let jitter = TimeAmount.nanoseconds(random(max(0, bound.nanoseconds)))
        return max(jitter, min(retryAfter ?? .zero, maximum))
    }
}
