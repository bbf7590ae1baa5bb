extension SeriesBlock {
    /// Whether a block has the last values alone.
    var hasOnlyLast: Bool { minimum.isEmpty && maximum.isEmpty && nonfinite.isEmpty }

    /// Adds a step to a bucket; its number is higher than those of all steps in the bucket.
    ///
    /// - Parameters:
    ///   - record: the step.
    ///   - indices: for each row its index in the step's numbers; -1 if the step does not have it.
    ///   - bucket: the bucket.
    mutating func fold(_ record: StepRecord, _ indices: [Int32], _ bucket: Int) {
        foldLast(record.numbers, indices, bucket)
        if !minimum.isEmpty {
            Self.fold(record.numbers, indices, into: &minimum, bucket, bucketCount) { min($0, $1) }
        }
        if !maximum.isEmpty {
            Self.fold(record.numbers, indices, into: &maximum, bucket, bucketCount) { max($0, $1) }
        }
        if !nonfinite.isEmpty { countNonfinite(record.numbers, indices, bucket) }
    }

    /// Adds the summary of steps to a bucket; their numbers are higher than those of all steps in the bucket.
    ///
    /// - Parameters:
    ///   - numbers: the summary.
    ///   - indices: for each row its index in the summary; -1 if it does not have it.
    ///   - bucket: the bucket.
    mutating func fold(_ numbers: SeriesNumbers, _ indices: [Int32], _ bucket: Int) {
        foldLast(numbers.last, indices, bucket)
        // A summary has an infinity where there is no finite value, which changes no bound.
        if !minimum.isEmpty {
            Self.fold(numbers.minimum, indices, into: &minimum, bucket, bucketCount) { min($0, $1) }
        }
        if !maximum.isEmpty {
            Self.fold(numbers.maximum, indices, into: &maximum, bucket, bucketCount) { max($0, $1) }
        }
        if !nonfinite.isEmpty, !numbers.nonfinite.isEmpty {
            var place = bucket
            for index in indices {
                if index >= 0 { nonfinite[place] &+= numbers.nonfinite[Int(index)] }
                place &+= bucketCount
            }
        }
    }

    /// Takes the values that were posted.
    private mutating func foldLast(_ numbers: [Double], _ indices: [Int32], _ bucket: Int) {
        let (numbers, indices, step) = (numbers.span, indices.span, bucketCount)
        var last = last.mutableSpan
        var place = bucket
        for row in indices.indices {
            let index = Int(indices[row])
            if index >= 0 {
                let value = numbers[index]
                if !MissingValue.isMissing(value) { last[place] = value }
            }
            place &+= step
        }
    }

    /// Takes the values of an earlier source in the places that are still missing.
    ///
    /// - Returns: the number of places that were filled.
    mutating func fillLast(_ numbers: [Double], _ indices: [Int32], _ bucket: Int) -> Int {
        let (numbers, indices, step) = (numbers.span, indices.span, bucketCount)
        var last = last.mutableSpan
        var place = bucket
        var filled = 0
        for row in indices.indices {
            let index = Int(indices[row])
            if index >= 0, MissingValue.isMissing(last[place]) {
                let value = numbers[index]
                last[place] = value
                if !MissingValue.isMissing(value) { filled &+= 1 }
            }
            place &+= step
        }
        return filled
    }

    /// Narrows or widens the bounds of a bucket by the finite values.
    @inline(__always)
    private static func fold(
        _ numbers: [Double], _ indices: [Int32], into bounds: inout [Double], _ bucket: Int, _ step: Int,
        _ combine: (Double, Double) -> Double
    ) {
        let (numbers, indices) = (numbers.span, indices.span)
        var bounds = bounds.mutableSpan
        var place = bucket
        for row in indices.indices {
            let index = Int(indices[row])
            if index >= 0 {
                let value = numbers[index]
                if value.isFinite { bounds[place] = combine(bounds[place], value) }
            }
            place &+= step
        }
    }

    private mutating func countNonfinite(_ numbers: [Double], _ indices: [Int32], _ bucket: Int) {
        let (numbers, indices, step) = (numbers.span, indices.span, bucketCount)
        var counts = nonfinite.mutableSpan
        var place = bucket
        for row in indices.indices {
            let index = Int(indices[row])
            if index >= 0 {
                let value = numbers[index]
                if !value.isFinite && !MissingValue.isMissing(value) { counts[place] &+= 1 }
            }
            place &+= step
        }
    }
}
