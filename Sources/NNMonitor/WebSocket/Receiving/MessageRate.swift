import NIOCore

/// The rate of a client's messages and control frames, averaged over `period` (a token bucket).
struct MessageRate {
    /// The seconds over which the rate is averaged.
    private static let period = 10

    private let perSecond: Int
    private var available: Double
    private var refilled: NIODeadline?

    /// Makes a rate; at first, the messages of a whole period may arrive at once.
    init(perSecond: Int) {
        self.perSecond = perSecond
        available = Double(perSecond) * Double(Self.period)
    }

    /// Counts a message.
    ///
    /// - Returns: whether it is within the rate.
    mutating func admit(at now: NIODeadline) -> Bool {
        if let refilled, now > refilled {
            let seconds = Double((now - refilled).nanoseconds) / 1e9
            available = min(
                Double(perSecond) * Double(Self.period), available + seconds * Double(perSecond))
        }
        refilled = now
        guard available >= 1 else { return false }
        available -= 1
        return true
    }
}
