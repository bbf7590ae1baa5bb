/// The summaries of a run's steps that are no longer kept in full: buckets of 2^level step numbers.
///
/// There are between 1 024 and 2 047 buckets, once there were as many steps, unless memory is short.
struct SeriesArchive: Sendable {
    /// The number of buckets at which pairs of neighbours are merged.
    static let maximumBuckets = 2048

    /// A summary of neighbouring steps.
    struct Bucket: Sendable {
        /// The lowest and the highest of the steps.
        let first: Int64
        var last: Int64
        let numbers: SeriesNumbers
    }

    /// The number of step numbers of a bucket is 2^level.
    private(set) var level = 0
    /// All buckets but the open one, ascending.
    private var closed: [Bucket] = []
    /// The highest bucket, to which the next step probably belongs.
    private var open: Open?
    private var tables = TableUses()
    /// The bytes of the summaries.
    private(set) var numbersMemory = 0

    /// A bucket to which steps are added.
    fileprivate struct Open: Sendable {
        var first: Int64
        var last: Int64
        var accumulator: SeriesAccumulator
    }

    /// Whether no step was added.
    var isEmpty: Bool { open == nil }

    /// The number of buckets.
    var count: Int { closed.count + (open == nil ? 0 : 1) }

    /// The highest step; `nil` if there is none.
    var last: Int64? { open?.last }

    /// The bytes of everything but the summaries.
    var overhead: Int { closed.heapBytes + tables.memory + (open?.accumulator.heapBytes ?? 0) }

    /// The bytes that a copy uses beside the summaries.
    var memoryOfCopy: Int { closed.heapBytes + (open?.accumulator.heapBytes ?? 0) }

    /// All buckets, ascending.
    func buckets() -> [Bucket] {
        guard let open else { return [] }
        return closed
            + [Bucket(first: open.first, last: open.last, numbers: SeriesNumbers(open.accumulator, ledger: nil))]
    }

    /// Adds a step that is not kept.
    mutating func add(_ record: StepRecord, ledger: RunLedger?) {
        guard let highest = open, record.step >> level <= highest.last >> level else {
            close(ledger)
            open = Open(record)
            if count >= Self.maximumBuckets { coarsen(ledger) }
            return
        }
        if record.step >> level == highest.first >> level {
            open?.add(record)
        } else {
            addLate(record, ledger)
        }
    }

    /// Adds a step to a bucket below the open one.
    private mutating func addLate(_ record: StepRecord, _ ledger: RunLedger?) {
        let index = closed.firstIndex { $0.first >> level >= record.step >> level } ?? closed.count
        if index < closed.count, closed[index].first >> level == record.step >> level {
            var changed = Open(closed[index])
            changed.add(record)
            remove(closed[index])
            closed[index] = bucket(changed, ledger)
        } else {
            closed.insert(bucket(Open(record), ledger), at: index)
            if count >= Self.maximumBuckets { coarsen(ledger) }
        }
    }

    /// Doubles the size of the buckets, until there are fewer than the maximum and than before.
    mutating func coarsen(_ ledger: RunLedger?) {
        let before = count
        close(ledger)
        while level < 63, closed.count > 1, closed.count >= min(before, Self.maximumBuckets) { mergePairs(ledger) }
        guard let highest = closed.popLast() else { return }
        remove(highest)
        open = Open(highest)
    }

    private mutating func mergePairs(_ ledger: RunLedger?) {
        level += 1
        var merged: [Bucket] = []
        merged.reserveCapacity(closed.count)
        for next in closed {
            guard let before = merged.last, before.first >> level == next.first >> level else {
                merged.append(next)
                continue
            }
            var sum = Open(before)
            sum.add(next)
            remove(before)
            remove(next)
            merged[merged.count - 1] = bucket(sum, ledger)
        }
        closed = merged
    }

    /// Drops the buckets that begin at or after a step. One that straddles it stays.
    mutating func removeAll(from step: Int64, ledger: RunLedger?) {
        close(ledger)
        while let bucket = closed.last, bucket.first >= step {
            remove(bucket)
            closed.removeLast()
        }
        guard var highest = closed.popLast() else { return }
        remove(highest)
        highest.last = min(highest.last, step - 1)
        open = Open(highest)
    }

    /// Makes the open bucket a closed one.
    private mutating func close(_ ledger: RunLedger?) {
        guard let open else { return }
        closed.append(bucket(open, ledger))
        self.open = nil
    }

    /// The summary of a bucket, counted.
    private mutating func bucket(_ open: Open, _ ledger: RunLedger?) -> Bucket {
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

extension SeriesArchive.Open {
    /// A bucket of one step.
    fileprivate init(_ record: StepRecord) {
        first = record.step
        last = record.step
        accumulator = SeriesAccumulator(SeriesTables(record), recordsLastSteps: true)
        accumulator.add(record)
    }

    /// Continues a closed bucket.
    fileprivate init(_ bucket: SeriesArchive.Bucket) {
        first = bucket.first
        last = bucket.last
        accumulator = SeriesAccumulator(
            bucket.numbers, highest: bucket.last, tables: SeriesTables(bucket.numbers))
    }

    /// Adds a step in any order.
    fileprivate mutating func add(_ record: StepRecord) {
        accumulator.extend(to: SeriesTables(record))
        accumulator.add(record)
        first = min(first, record.step)
        last = max(last, record.step)
    }

    /// Adds a higher bucket.
    fileprivate mutating func add(_ bucket: SeriesArchive.Bucket) {
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
