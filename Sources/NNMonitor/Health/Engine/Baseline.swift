import Glibc

/// What a value was before: its exponential mean and deviation.
///
/// The weight of the n-th value is 1/(n+1) until that is below the least weight, usually 0.03. A value far above the
/// mean enters as the mean and two deviations, so that a spike does not become the norm.
struct Baseline: Sendable {
    /// The exponential mean.
    private(set) var mean = 0.0
    private var variance = 0.0
    /// The number of values.
    private(set) var count = 0
    /// The usual least weight of a value.
    static let leastWeight = 0.03

    /// Adds a finite value.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - floor: the least deviation that counts.
    ///   - leastWeight: the weight of a value after the first ones.
    @inline(__always)
    mutating func add(_ value: Double, floor: Double, leastWeight: Double = Self.leastWeight) {
        if count == 0 {
            mean = value
        } else {
            // The branch spares a division for all but the first values.
            let weight = count > Int(1 / leastWeight) ? leastWeight : max(1 / Double(count + 1), leastWeight)
            var difference = value - mean
            // The branch spares a root: the deviation is at least the floor.
            if difference > 2 * floor { difference = min(difference, 2 * deviation(floor: floor)) }
            mean += weight * difference
            variance = (1 - weight) * (variance + weight * difference * difference)
        }
        count &+= 1
    }

    /// The deviation, at least `floor`.
    @inline(__always)
    func deviation(floor: Double) -> Double { max(variance.squareRoot(), floor) }

    /// How many deviations a value is above the mean.
    @inline(__always)
    func score(_ value: Double, floor: Double) -> Double { (value - mean) / deviation(floor: floor) }

    /// Whether the score of a value is above a limit.
    @inline(__always)
    func isScore(_ value: Double, above limit: Double, floor: Double) -> Bool {
        // The comparison spares a root and a division: the deviation is at least the floor, so the score is at most 2.
        if limit >= 2, value - mean <= 2 * floor { return false }
        return score(value, floor: floor) > limit
    }
}

/// Counts the reports in a row in which a condition holds.
struct Streak: Sendable {
    private(set) var count: Int32 = 0

    /// Whether the condition held in the last report.
    var isRunning: Bool { count > 0 }

    /// Notes a report.
    ///
    /// - Returns: whether the condition has held for `duration` reports.
    mutating func note(_ holds: Bool, for duration: Int) -> Bool {
        count = holds ? min(count + 1, .max - 1) : 0
        return count >= duration
    }
}

/// The last ten reports, as bits.
struct RecentReports: Sendable {
    private var bits: UInt16 = 0

    /// Notes a report.
    mutating func note(_ holds: Bool) { bits = (bits << 1 | (holds ? 1 : 0)) & 0x3FF }

    /// The number of reports in which the condition held.
    var count: Int { bits.nonzeroBitCount }
}
