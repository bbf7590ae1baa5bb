/// How often a run posts bodies with steps, and when something came last.
struct RunPace: Sendable {
    /// The shortest silence that counts, in microseconds.
    private static let shortestSilence: Int64 = 30_000_000
    /// The interval that is assumed before enough are known, in microseconds.
    private static let assumedInterval: Int64 = 60_000_000
    /// How many of the usual intervals must pass.
    private static let factor: Int64 = 10
    /// The number of intervals that are remembered, and from which on their median is known.
    private static let (remembered, needed) = (20, 5)

    /// When something of the trainer came last: a step, an alert or an update that is not only a description.
    private(set) var lastSign: UTCTime
    private var lastBody: UTCTime?
    /// The last intervals between bodies with steps, in microseconds, in any order.
    private var intervals: [Int64] = []
    /// The index of the oldest interval, when all are filled.
    private var oldest = 0

    init(since time: UTCTime) { lastSign = time }

    /// Notes a step.
    ///
    /// - Parameters:
    ///   - now: the current time.
    ///   - followsInBody: whether an earlier step came in the same body. The steps of a batch come at once, whatever
    ///     the time between two batches.
    mutating func noteStep(at now: UTCTime, followsInBody: Bool = false) {
        lastSign = now
        if followsInBody { return }
        if let lastBody {
            let interval = now.microseconds - lastBody.microseconds
            if intervals.count < Self.remembered {
                intervals.append(interval)
            } else {
                intervals[oldest] = interval
                oldest = (oldest + 1) % Self.remembered
            }
        }
        // At once, so that later steps take no memory here.
        if lastBody == nil { intervals.reserveCapacity(Self.remembered) }
        lastBody = now
    }

    /// Notes another sign of the trainer.
    mutating func noteSign(at now: UTCTime) { lastSign = now }

    /// Whether nothing came for much longer than usual.
    func isSilent(at now: UTCTime) -> Bool {
        let silence = now.microseconds - lastSign.microseconds
        if silence <= Self.shortestSilence { return false }
        return silence > max(Self.shortestSilence, Self.factor * usualInterval)
    }

    /// The median of the last intervals, in microseconds.
    private var usualInterval: Int64 {
        guard intervals.count >= Self.needed else { return Self.assumedInterval }
        let sorted = intervals.sorted()
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// Heap bytes of the intervals.
    var heapBytes: Int { intervals.heapBytes }
}
