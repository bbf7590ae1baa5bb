extension SeriesBlock {
    /// Adds a step to a bucket; its number is higher than those of all steps in the bucket.
    ///
    /// - Parameters:
    ///   - record: the step.
    ///   - indices: for each row its index in the step's numbers; -1 if the step does not have it.
    ///   - bucket: the bucket.
    mutating func fold(_ record: StepRecord, _ indices: [Int32], _ bucket: Int) {
        Self.fold(record, indices, bucket, bucketCount, &last, &minimum, &maximum, &nonfinite)
    }

    private static func fold(
        _ record: StepRecord, _ indices: [Int32], _ bucket: Int, _ stride: Int, _ last: inout [Double],
        _ minimum: inout [Double], _ maximum: inout [Double], _ nonfinite: inout [UInt32]
    ) {
        let numbers = record.numbers
        var last = last.mutableSpan
        var minimum = minimum.mutableSpan
        var maximum = maximum.mutableSpan
        var nonfinite = nonfinite.mutableSpan
        let (hasMinimum, hasMaximum, hasNonfinite) = (!minimum.isEmpty, !maximum.isEmpty, !nonfinite.isEmpty)
        var place = bucket
        for index in indices {
            let value = index < 0 ? MissingValue.number : numbers[Int(index)]
            if value.isFinite {
                last[place] = value
                if hasMinimum, value < minimum[place] { minimum[place] = value }
                if hasMaximum, value > maximum[place] { maximum[place] = value }
            } else if !MissingValue.isMissing(value) {
                last[place] = value
                if hasNonfinite { nonfinite[place] &+= 1 }
            }
            place += stride
        }
    }

    /// Adds the summary of steps to a bucket; their numbers are higher than those of all steps in the bucket.
    ///
    /// - Parameters:
    ///   - numbers: the summary.
    ///   - indices: for each row its index in the summary; -1 if it does not have it.
    ///   - bucket: the bucket.
    mutating func fold(_ numbers: SeriesNumbers, _ indices: [Int32], _ bucket: Int) {
        Self.fold(numbers, indices, bucket, bucketCount, &last, &minimum, &maximum, &nonfinite)
    }

    private static func fold(
        _ numbers: SeriesNumbers, _ indices: [Int32], _ bucket: Int, _ stride: Int, _ last: inout [Double],
        _ minimum: inout [Double], _ maximum: inout [Double], _ nonfinite: inout [UInt32]
    ) {
        let (lowest, highest, latest, counts) = (numbers.minimum, numbers.maximum, numbers.last, numbers.nonfinite)
        var last = last.mutableSpan
        var minimum = minimum.mutableSpan
        var maximum = maximum.mutableSpan
        var nonfinite = nonfinite.mutableSpan
        let (hasMinimum, hasMaximum) = (!minimum.isEmpty, !maximum.isEmpty)
        let hasNonfinite = !nonfinite.isEmpty && !counts.isEmpty
        var place = bucket
        for index in indices {
            let index = Int(index)
            let value = index < 0 ? MissingValue.number : latest[index]
            if !MissingValue.isMissing(value) {
                last[place] = value
                if hasMinimum, lowest[index] < minimum[place] { minimum[place] = lowest[index] }
                if hasMaximum, highest[index] > maximum[place] { maximum[place] = highest[index] }
                if hasNonfinite { nonfinite[place] &+= counts[index] }
            }
            place += stride
        }
    }
}
