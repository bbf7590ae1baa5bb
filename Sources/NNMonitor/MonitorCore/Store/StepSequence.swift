/// The steps of a run, sorted by their number.
///
/// Steps are kept in chunks. A copy (a snapshot) shares all chunks, and the next change after a snapshot copies one
/// chunk and the list of chunks, never the whole run.
package struct StepSequence: HistorySource {
    /// The largest number of steps in a chunk. A full chunk is split in two when a step is inserted in its middle.
    static let chunkSize = 256

    /// Sorted chunks in ascending order, none of them empty.
    private var chunks: [[StepRecord]] = []
    /// The number of steps.
    private(set) var count = 0

    /// No steps.
    package init() {}

    /// The bytes that a copy uses beside the steps: changes after the copy are made in a new list of chunks and in a
    /// new last chunk.
    var memoryOfCopy: Int { 256 + (chunks.count + 2 * Self.chunkSize) * MemoryLayout<StepRecord>.stride }

    /// The lowest step.
    var first: StepRecord? { chunks.first?.first }

    /// The highest step.
    var last: StepRecord? { chunks.last?.last }

    /// Inserts a step in order.
    ///
    /// - Returns: the step with the same number that it replaced.
    mutating func insert(_ record: StepRecord) -> StepRecord? {
        guard let last, record.step <= last.step else {
            append(record)
            return nil
        }
        let chunk = chunkIndex(upTo: record.step)
        let index = Self.partition(chunks[chunk].count) { chunks[chunk][$0].step < record.step }
        if chunks[chunk][index].step == record.step {
            let old = chunks[chunk][index]
            chunks[chunk][index] = record
            return old
        }
        chunks[chunk].insert(record, at: index)
        count += 1
        if chunks[chunk].count > Self.chunkSize {
            let upper = Array(chunks[chunk][(Self.chunkSize / 2)...])
            chunks[chunk].removeSubrange((Self.chunkSize / 2)...)
            chunks.insert(upper, at: chunk + 1)
        }
        return nil
    }

    /// The highest steps below a number, descending, at most as many as a limit.
    package func steps(below step: Int64, limit: Int) -> [StepRecord] {
        var found: [StepRecord] = []
        guard !chunks.isEmpty else { return found }
        for chunk in chunks[...chunkIndex(upTo: step)].reversed() {
            for record in chunk.reversed() where record.step < step {
                if found.count == limit { return found }
                found.append(record)
            }
        }
        return found
    }

    /// Removes and returns the lowest step.
    mutating func removeFirst() -> StepRecord? {
        guard !chunks.isEmpty else { return nil }
        let record = chunks[0].removeFirst()
        if chunks[0].isEmpty { chunks.removeFirst() }
        count -= 1
        return record
    }

    /// Removes and returns the steps from a number on, ascending.
    mutating func removeAll(from step: Int64) -> [StepRecord] {
        let chunk = chunkIndex(upTo: step)
        guard chunk < chunks.count else { return [] }
        let index = Self.partition(chunks[chunk].count) { chunks[chunk][$0].step < step }
        let removed = Array(chunks[chunk][index...]) + chunks[(chunk + 1)...].joined()
        chunks.removeSubrange((chunk + 1)...)
        chunks[chunk].removeSubrange(index...)
        if chunks[chunk].isEmpty { chunks.removeLast() }
        count -= removed.count
        return removed
    }

    /// The steps with a higher `seq`, in ascending order of `seq`.
    func changed(after seq: UInt64) -> [StepRecord] {
        var records: [StepRecord] = []
        var isSorted = true
        for chunk in chunks {
            for record in chunk where record.seq > seq {
                isSorted = isSorted && records.last.map { $0.seq < record.seq } != false
                records.append(record)
            }
        }
        // Steps usually arrive in order.
        if !isSorted { records.sort { $0.seq < $1.seq } }
        return records
    }

    /// The rest of the chunk that contains the next step after `step`: a whole chunk, and then no copy, if `step` is
    /// the last one of the chunk before.
    ///
    /// - Parameter step: the last step of the batch before; `nil` for the first batch.
    /// - Returns: steps with a higher number than `step`, ascending; none at the end.
    package func steps(after step: Int64?) -> [StepRecord] {
        guard let step else { return chunks.first ?? [] }
        guard step < .max else { return [] }
        let chunk = chunkIndex(upTo: step + 1)
        guard chunk < chunks.count else { return [] }
        let index = Self.partition(chunks[chunk].count) { chunks[chunk][$0].step <= step }
        return index == 0 ? chunks[chunk] : Array(chunks[chunk][index...])
    }

    /// The steps in a range of numbers, ascending.
    func records(in range: ClosedRange<Int64>) -> ArraySlice<StepRecord> {
        var found: ArraySlice<StepRecord> = []
        for chunk in chunks[chunkIndex(upTo: range.lowerBound)...] {
            let start = Self.partition(chunk.count) { chunk[$0].step < range.lowerBound }
            let end =
                range.upperBound == .max
                ? chunk.count : Self.partition(chunk.count) { chunk[$0].step <= range.upperBound }
            if start >= end { break }
            found = found.isEmpty ? chunk[start..<end] : found + chunk[start..<end]
            if end < chunk.count { break }
        }
        return found
    }

    private mutating func append(_ record: StepRecord) {
        if chunks.isEmpty || chunks[chunks.count - 1].count >= Self.chunkSize {
            chunks.append([])
        }
        chunks[chunks.count - 1].append(record)
        count += 1
    }

    /// The first chunk whose last step is not below `step`; the number of chunks if there is none.
    private func chunkIndex(upTo step: Int64) -> Int {
        Self.partition(chunks.count) { chunks[$0][chunks[$0].count - 1].step < step }
    }

    /// The first index below `count` for which `isBefore` is false; `count` if there is none.
    private static func partition(_ count: Int, isBefore: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
