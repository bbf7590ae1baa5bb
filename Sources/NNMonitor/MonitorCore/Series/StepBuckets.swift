/// Divides the steps of a range into buckets of 2^k step numbers.
///
/// Steps share a bucket where `step >> k` is equal. The bounds depend on the steps and the number of points alone, so a
/// reload shows the same picture.
package struct StepBuckets: Sendable {
    /// At index k: the number of neighbouring steps whose numbers differ in bit k and in no higher one. They are in
    /// different buckets for shifts up to k.
    private var borders = [Int](repeating: 0, count: 64)
    private var last: Int64?

    /// No steps.
    package init() {}

    /// Adds a step with a higher number than all before.
    package mutating func note(_ step: Int64) {
        if let last { borders[63 - (last ^ step).leadingZeroBitCount] += 1 }
        last = step
    }

    /// The least shift that gives at most `points` buckets with steps.
    package func shift(points: Int) -> Int {
        guard last != nil else { return 0 }
        var count = 1
        for bit in borders.indices.reversed() {
            count += borders[bit]
            if count > points { return bit + 1 }
        }
        return 0
    }
}
