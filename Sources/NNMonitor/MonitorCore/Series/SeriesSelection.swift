/// The buckets of a range, and the steps and summaries that they are made of.
struct SeriesSelection: Sendable {
    /// The first step of each bucket, ascending.
    private(set) var steps: [Int64] = []
    /// The last step of each bucket.
    private(set) var lastSteps: [Int64] = []
    /// What the buckets are made of, bucket by bucket in ascending order.
    private(set) var sources: [SeriesSource] = []
    /// The end of each bucket's sources.
    private(set) var sourceEnds: [Int] = []
    /// The number of step numbers that share a stored bucket at the coarsest place; 1 where all steps are kept.
    private(set) var resolution: Int64 = 1

    /// - Throws: `StoreError` if the steps cannot be read.
    init(_ snapshot: RunSnapshot, _ request: SeriesRequest) async throws(StoreError) {
        var records: [StepRecord] = []
        var lastRead = request.from > 0 ? request.from - 1 : nil
        reading: while true {
            let batch = try await snapshot.steps.steps(after: lastRead)
            for record in batch {
                if record.step > request.to { break reading }
                records.append(record)
            }
            guard let last = batch.last else { break }
            lastRead = last.step
        }
        var buckets = StepBuckets()
        for record in records { buckets.note(record.step) }
        let shift = buckets.shift(points: request.points)
        for record in records {
            if let last = lastSteps.last, last >> shift == record.step >> shift {
                lastSteps[lastSteps.count - 1] = record.step
                sources.append(.step(record))
                sourceEnds[sourceEnds.count - 1] = sources.count
            } else {
                steps.append(record.step)
                lastSteps.append(record.step)
                sources.append(.step(record))
                sourceEnds.append(sources.count)
            }
        }
    }
}
