extension SeriesBlock {
    /// Adds a step to a bucket; its number is higher than those of all steps in the bucket.
    ///
    /// - Parameters:
    ///   - record: the step.
    ///   - indices: for each row its index in the step's numbers; -1 if the step does not have it.
    ///   - bucket: the bucket.
    mutating func fold(_ record: StepRecord, _ indices: [Int32], _ bucket: Int) {
        var place = bucket
        for index in indices {
            defer { place += bucketCount }
            guard index >= 0 else { continue }
            let value = record.numbers[Int(index)]
            if value.isFinite {
                last[place] = value
                if !minimum.isEmpty && value < minimum[place] { minimum[place] = value }
                if !maximum.isEmpty && value > maximum[place] { maximum[place] = value }
            } else if !MissingValue.isMissing(value) {
                last[place] = value
                if !nonfinite.isEmpty { nonfinite[place] += 1 }
            }
        }
    }

    /// Adds the summary of steps to a bucket; their numbers are higher than those of all steps in the bucket.
    ///
    /// - Parameters:
    ///   - numbers: the summary.
    ///   - indices: for each row its index in the summary; -1 if it does not have it.
    ///   - bucket: the bucket.
    mutating func fold(_ numbers: SeriesNumbers, _ indices: [Int32], _ bucket: Int) {
        var place = bucket
        for index in indices {
            defer { place += bucketCount }
            guard index >= 0 else { continue }
            let index = Int(index)
            let value = numbers.last[index]
            if MissingValue.isMissing(value) { continue }
            last[place] = value
            if !minimum.isEmpty { minimum[place] = min(minimum[place], numbers.minimum[index]) }
            if !maximum.isEmpty { maximum[place] = max(maximum[place], numbers.maximum[index]) }
            if !nonfinite.isEmpty, !numbers.nonfinite.isEmpty { nonfinite[place] &+= numbers.nonfinite[index] }
        }
    }
}
