/// The summaries of a run's steps that are no longer kept in full: buckets of step numbers that share `step >> level`.
///
/// There are at most 2 047 buckets, and at least half as many once there were as many steps, unless memory is short.
/// When there is one too many, the lowest pair of neighbours that can be merged is merged, so each step costs the same.
/// Buckets therefore have one of two levels: the lower ones are twice as large.
struct SeriesArchive: Sendable {
    /// The number of buckets at which a pair of neighbours is merged.
    static let maximumBuckets = 2048

    /// A summary of neighbouring steps.
    struct Bucket: Sendable {
        /// The lowest and the highest of the steps.
        let first: Int64
        var last: Int64
        let numbers: SeriesNumbers
    }

    /// The level of the higher buckets.
    private var level = 0
    /// The number of lower buckets: their level is higher by one.
    private var largeCount = 0
    /// All buckets but the highest, ascending.
    private var closed: [Bucket] = []
    /// The highest bucket, to which the next step probably belongs.
    private var open: OpenBucket?
    private var tables = TableUses()
    /// The bytes of the summaries.
    private(set) var numbersMemory = 0

    /// The number of buckets.
    var count: Int { closed.count + (open == nil ? 0 : 1) }

    /// The highest step; `nil` if there is none.
    var last: Int64? { open?.last }

    /// The bytes of everything but the summaries.
    var overhead: Int {
        open.map { closed.heapBytes + tables.memory + $0.accumulator.heapBytes } ?? 0
    }

    /// The bytes that a copy uses beside the summaries.
    var memoryOfCopy: Int { closed.heapBytes + (open?.accumulator.heapBytes ?? 0) }

    /// The buckets that overlap a range, ascending, and the level of the largest of them.
    func buckets(in range: ClosedRange<Int64>) -> (buckets: [Bucket], level: Int) {
        guard let open else { return ([], 0) }
        let highest = Bucket(
            first: open.first, last: open.last,
            numbers: SeriesNumbers(open.accumulator, ledger: nil))
        let all = closed + [highest]
        let begin = all.firstIndex { $0.last >= range.lowerBound } ?? all.count
        let end = all.firstIndex { $0.first > range.upperBound } ?? all.count
        guard begin < end else { return ([], 0) }
        return (Array(all[begin..<end]), level(of: begin))
    }

    private func level(of index: Int) -> Int { index < largeCount ? level + 1 : level }

    /// Whether two steps share a bucket of the level of a bucket.
    private func share(_ left: Int64, _ right: Int64, at index: Int) -> Bool {
        left >> level(of: index) == right >> level(of: index)
    }

    // MARK: Changes

    /// Adds a step that is not kept.
    mutating func add(_ record: StepRecord, ledger: RunLedger?) {
        guard let highest = open else {
            open = OpenBucket(record)
            return
        }
        if share(highest.first, record.step, at: closed.count) {
            open?.add(record)
        } else if record.step > highest.last {
            close(ledger)
            open = OpenBucket(record)
        } else {
            addLate(record, ledger)
        }
        if count >= Self.maximumBuckets { _ = mergePair(ledger) }
    }

    /// Adds a step below the highest bucket.
    private mutating func addLate(_ record: StepRecord, _ ledger: RunLedger?) {
        let next = closed.firstIndex { $0.first > record.step } ?? closed.count
        for index in [next - 1, next]
        where closed.indices.contains(index) && share(closed[index].first, record.step, at: index) {
            var changed = OpenBucket(closed[index])
            changed.add(record)
            remove(closed[index])
            closed[index] = bucket(changed, ledger)
            return
        }
        closed.insert(bucket(OpenBucket(record), ledger), at: next)
        if next < largeCount { largeCount += 1 }
    }

    /// Merges the lowest two neighbours that share a larger bucket.
    ///
    /// - Returns: whether there were any.
    mutating func mergePair(_ ledger: RunLedger?) -> Bool {
        // The highest bucket is merged only with the last other one.
        let isLastPair = closed.count == 1
        if isLastPair { close(ledger) }
        defer { if isLastPair { reopen() } }
        while closed.count > 1 {
            if largeCount + 1 >= closed.count {
                level += 1
                largeCount = 0
            }
            let index = largeCount
            largeCount += 1
            if share(closed[index].first, closed[index + 1].first, at: index) {
                var sum = OpenBucket(closed[index])
                sum.add(closed[index + 1])
                remove(closed[index])
                remove(closed[index + 1])
                closed[index] = bucket(sum, ledger)
                closed.remove(at: index + 1)
                return true
            }
        }
        return false
    }

    /// Drops the buckets that begin at or after a step. One that straddles it stays.
    mutating func removeAll(from step: Int64, ledger: RunLedger?) {
        close(ledger)
        while let bucket = closed.last, bucket.first >= step {
            remove(bucket)
            closed.removeLast()
        }
        if var highest = closed.popLast() {
            highest.last = min(highest.last, step - 1)
            closed.append(highest)
        }
        largeCount = min(largeCount, closed.count)
        reopen()
    }

    /// Drops all buckets.
    mutating func removeAll() { self = SeriesArchive() }

    /// Makes the highest bucket a closed one.
    private mutating func close(_ ledger: RunLedger?) {
        guard let open else { return }
        closed.append(bucket(open, ledger))
        self.open = nil
    }

    /// Makes the highest closed bucket the open one.
    private mutating func reopen() {
        guard let highest = closed.popLast() else { return }
        remove(highest)
        open = OpenBucket(highest)
        largeCount = min(largeCount, closed.count + 1)
    }

    /// The summary of a bucket, counted.
    private mutating func bucket(_ open: OpenBucket, _ ledger: RunLedger?) -> Bucket {
        let numbers = SeriesNumbers(open.accumulator, ledger: ledger)
        numbersMemory += numbers.memory
        tables.add(SeriesTables(numbers))
        return Bucket(first: open.first, last: open.last, numbers: numbers)
    }

    private mutating func remove(_ bucket: Bucket) {
        numbersMemory -= bucket.numbers.memory
        tables.remove(SeriesTables(bucket.numbers))
    }
}

/// A bucket to which steps are added.
private struct OpenBucket: Sendable {
    private(set) var first: Int64
    private(set) var last: Int64
    private(set) var accumulator: SeriesAccumulator

    /// A bucket of one step.
    init(_ record: StepRecord) {
        first = record.step
        last = record.step
        accumulator = SeriesAccumulator(SeriesTables(record), recordsLastSteps: true)
        accumulator.add(record)
    }

    /// Continues a closed bucket.
    init(_ bucket: SeriesArchive.Bucket) {
        first = bucket.first
        last = bucket.last
        accumulator = SeriesAccumulator(SeriesTables(bucket.numbers), recordsLastSteps: true)
        accumulator.add(bucket.numbers, highest: bucket.last)
    }

    /// Adds a step in any order.
    mutating func add(_ record: StepRecord) {
        accumulator.extend(to: SeriesTables(record))
        accumulator.add(record)
        first = min(first, record.step)
        last = max(last, record.step)
    }

    /// Adds a higher bucket.
    mutating func add(_ bucket: SeriesArchive.Bucket) {
        accumulator.extend(to: SeriesTables(bucket.numbers))
        accumulator.add(bucket.numbers, highest: bucket.last)
        first = min(first, bucket.first)
        last = max(last, bucket.last)
    }
}

/// The tables that summaries use, which may belong to no kept step.
private struct TableUses: Sendable {
    private var uses: [ObjectIdentifier: (count: Int, memory: Int)] = [:]
    /// The bytes of all tables.
    private(set) var memory = 0

    mutating func add(_ tables: SeriesTables) {
        change(tables.layers, tables.layers.memory, by: 1)
        change(tables.columns, tables.columns.memory, by: 1)
    }

    mutating func remove(_ tables: SeriesTables) {
        change(tables.layers, tables.layers.memory, by: -1)
        change(tables.columns, tables.columns.memory, by: -1)
    }

    private mutating func change(_ table: AnyObject, _ bytes: Int, by change: Int) {
        let id = ObjectIdentifier(table)
        let before = uses[id]?.count ?? 0
        uses[id] = before + change == 0 ? nil : (before + change, bytes)
        if before == 0 { memory += bytes + 32 }
        if before + change == 0 { memory -= bytes + 32 }
    }
}
