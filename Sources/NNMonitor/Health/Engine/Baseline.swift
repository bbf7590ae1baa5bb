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
    mutating func add(_ value: Double, floor: Double, leastWeight: Double = Self.leastWeight) {
        if count == 0 {
            mean = value
        } else {
            let weight = max(1 / Double(count + 1), leastWeight)
            let difference = min(value - mean, 2 * deviation(floor: floor))
            mean += weight * difference
            variance = (1 - weight) * (variance + weight * difference * difference)
        }
        count += 1
    }

    /// The deviation, at least `floor`.
    func deviation(floor: Double) -> Double { max(variance.squareRoot(), floor) }

    /// How many deviations a value is above the mean.
    func score(_ value: Double, floor: Double) -> Double { (value - mean) / deviation(floor: floor) }
}

/// Counts the reports in a row in which a condition holds.
struct Streak: Sendable {
    private(set) var count: Int32 = 0

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

/// The median of the first ten values.
struct EarlyMedian: Sendable {
    private var values = InlineArray<10, Float>(repeating: 0)
    private var count = 0
    /// The median; `nil` before there are ten values.
    private(set) var median: Double?

    mutating func note(_ value: Double) {
        guard count < 10 else { return }
        values[count] = Float(value)
        count += 1
        guard count == 10 else { return }
        let sorted = values.indices.map { values[$0] }.sorted()
        median = Double(sorted[4] + sorted[5]) / 2
    }
}
