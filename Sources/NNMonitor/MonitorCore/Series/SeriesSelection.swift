/// The buckets of a range, and the steps and summaries that they are made of.
///
/// Steps share a bucket where `step >> shift` is equal, for the least shift that gives at most as many buckets as were
/// asked for. A bucket of steps that are not kept counts and is read as a whole.
struct SeriesSelection: Sendable {
    /// The first step of each bucket, ascending.
    private(set) var steps: [Int64] = []
    /// The last step of each bucket.
    private(set) var lastSteps: [Int64] = []
    /// What the buckets are made of, bucket by bucket in ascending order.
    private(set) var sources: [SeriesSource] = []
    /// The distinct tables of the sources.
    private(set) var tables: [SeriesTables] = []
    /// For each source the index of its tables.
    private(set) var sourceTables: [Int32] = []
    private var indices: [SeriesTables: Int32] = [:]
    /// The end of each bucket's sources.
    private(set) var sourceEnds: [Int] = []
    /// The number of step numbers that share a stored bucket at the coarsest place; 1 where all steps are kept.
    private(set) var resolution: Int64 = 1

    /// - Throws: `StoreError` if the steps cannot be read.
    init(_ snapshot: RunSnapshot, _ request: SeriesRequest) async throws(StoreError) {
        if request.from > request.to {
            self.init()
        } else if let series = snapshot.series {
            self.init(series, request)
        } else {
            try await self.init(reading: snapshot.steps, request)
        }
    }

    /// No buckets.
    private init() {}

    /// Bytes of the lists. Steps and summaries belong to the run, or to its ledger once they are dropped.
    var memory: Int {
        steps.heapBytes + lastSteps.heapBytes + sources.heapBytes + sourceTables.heapBytes + sourceEnds.heapBytes
            + tables.heapBytes
    }

    /// Selects from summaries where the store has them.
    private init(_ snapshot: SeriesSnapshot, _ request: SeriesRequest) {
        let (archived, level) = snapshot.series.archive.buckets(in: request.from...request.to)
        resolution = level < 63 ? 1 << Int64(level) : .max
        // Nodes may still have steps that are no longer kept.
        let lowest = max(request.from, snapshot.records.first?.step ?? .max)
        let kept = lowest <= request.to ? KeptSteps(snapshot, lowest...request.to) : nil
        let shift = Self.leastShift(points: request.points) { shift in
            var counter = BucketCounter(shift: shift, limit: request.points)
            for bucket in archived { counter.note(bucket.first) }
            kept?.count(&counter)
            return counter.isWithinLimit
        }
        for bucket in archived {
            append(.numbers(bucket.numbers), first: bucket.first, last: bucket.last, shift: shift)
        }
        kept?.forEach(shift: shift) { append($0, first: $1, last: $2, shift: shift) }
    }

    /// Reads all steps of the range.
    private init(reading source: any HistorySource, _ request: SeriesRequest) async throws(StoreError) {
        var records: [StepRecord] = []
        var lastRead = request.from > 0 ? request.from - 1 : nil
        reading: while true {
            let batch = try await source.steps(after: lastRead)
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
        for record in records { append(.step(record), first: record.step, last: record.step, shift: shift) }
    }

    /// The least shift for which there are not too many buckets.
    private static func leastShift(points: Int, fits: (Int) -> Bool) -> Int {
        var (low, high) = (0, 63)
        while low < high {
            let middle = (low + high) / 2
            if fits(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func index(of next: SeriesTables) -> Int32 {
        if let last = sourceTables.last, tables[Int(last)] == next { return last }
        if let known = indices[next] { return known }
        let index = Int32(tables.count)
        tables.append(next)
        indices[next] = index
        return index
    }

    /// Adds a source above all before: to the last bucket, or to a new one.
    private mutating func append(_ source: SeriesSource, first: Int64, last: Int64, shift: Int) {
        sources.append(source)
        sourceTables.append(index(of: SeriesTables(layers: source.table, columns: source.columns)))
        if let begin = steps.last, begin >> shift == first >> shift {
            lastSteps[lastSteps.count - 1] = last
            sourceEnds[sourceEnds.count - 1] = sources.count
        } else {
            steps.append(first)
            lastSteps.append(last)
            sourceEnds.append(sources.count)
        }
    }
}

/// Counts distinct buckets up to a limit.
struct BucketCounter {
    let shift: Int
    let limit: Int
    private var count = 0
    private var bucket: Int64?

    init(shift: Int, limit: Int) {
        self.shift = shift
        self.limit = limit
    }

    /// Whether there are at most as many buckets as the limit.
    var isWithinLimit: Bool { count <= limit }

    /// Notes a step that is not below those before.
    mutating func note(_ step: Int64) {
        if bucket == step >> shift { return }
        bucket = step >> shift
        count += 1
    }
}

/// The kept steps of a range.
private struct KeptSteps {
    private let snapshot: SeriesSnapshot
    private let range: ClosedRange<Int64>
    private let tail: ArraySlice<Int64>

    init(_ snapshot: SeriesSnapshot, _ range: ClosedRange<Int64>) {
        self.snapshot = snapshot
        self.range = range
        tail = snapshot.series.tail.drop { $0 < range.lowerBound }.prefix { $0 <= range.upperBound }
    }

    /// Counts the buckets of the steps.
    func count(_ counter: inout BucketCounter) {
        if let root = snapshot.series.root { count(root, &counter) }
        for step in tail { counter.note(step) }
    }

    private func count(_ node: SeriesTreeNode, _ counter: inout BucketCounter) {
        guard counter.isWithinLimit, node.first <= range.upperBound, node.last >= range.lowerBound else { return }
        if node.level <= counter.shift, range.contains(node.first) || range.contains(node.last) {
            counter.note(range.contains(node.first) ? node.first : node.last)
        } else if let children = node.children {
            count(children.low, &counter)
            count(children.high, &counter)
        } else {
            for step in node.steps where range.contains(step) { counter.note(step) }
        }
    }

    /// Visits the sources in ascending order, each with its lowest and highest step.
    ///
    /// - Parameters:
    ///   - shift: steps share a bucket where `step >> shift` is equal.
    ///   - visit: called for a step, or for the summary of a node whose steps share a bucket and are in the range.
    func forEach(shift: Int, _ visit: (SeriesSource, Int64, Int64) -> Void) {
        if let root = snapshot.series.root { forEach(root, shift, visit) }
        if let first = tail.first, let last = tail.last { forEachStep(first...last, visit) }
    }

    private func forEach(_ node: SeriesTreeNode, _ shift: Int, _ visit: (SeriesSource, Int64, Int64) -> Void) {
        guard node.first <= range.upperBound, node.last >= range.lowerBound else { return }
        if node.level <= shift, let numbers = node.numbers, range.contains(node.first), range.contains(node.last) {
            visit(.numbers(numbers), node.first, node.last)
        } else if let children = node.children {
            forEach(children.low, shift, visit)
            forEach(children.high, shift, visit)
        } else {
            forEachStep(max(node.first, range.lowerBound)...min(node.last, range.upperBound), visit)
        }
    }

    private func forEachStep(_ steps: ClosedRange<Int64>, _ visit: (SeriesSource, Int64, Int64) -> Void) {
        for record in snapshot.records.records(in: steps) { visit(.step(record), record.step, record.step) }
    }
}
