/// The steps of a run, sorted by their number.
///
/// Kept in chunks, so that a copy (a reader's snapshot) shares all of them, and the next change after a snapshot copies
/// one chunk and the list of chunks, never the whole run.
package struct StepSequence: Sendable {
    /// Steps in a chunk at most; a full chunk splits in two when a step falls into its middle.
    static let chunkSize = 256

    /// Never empty chunks, each sorted, in order.
    private var chunks: [[StepRecord]] = []
    /// Number of steps.
    package private(set) var count = 0

    package init() {}

    /// The first (lowest) step.
    package var first: StepRecord? { chunks.first?.first }

    /// The last (highest) step.
    package var last: StepRecord? { chunks.last?.last }

    /// Places a step.
    ///
    /// - Returns: the step with the same number that it replaced.
    package mutating func insert(_ record: StepRecord) -> StepRecord? {
        guard let last, record.step <= last.step else {
            append(record)
            return nil
        }
        let chunk = Self.partition(chunks.count) { chunks[$0][chunks[$0].count - 1].step < record.step }
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

    /// Removes and returns the lowest step.
    package mutating func removeFirst() -> StepRecord? {
        guard !chunks.isEmpty else { return nil }
        let record = chunks[0].removeFirst()
        if chunks[0].isEmpty { chunks.removeFirst() }
        count -= 1
        return record
    }

    private mutating func append(_ record: StepRecord) {
        if chunks.isEmpty || chunks[chunks.count - 1].count >= Self.chunkSize {
            chunks.append([])
        }
        chunks[chunks.count - 1].append(record)
        count += 1
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

    /// A place between two steps, for reading on piece by piece.
    package struct Position: Sendable {
        fileprivate var chunk = 0
        fileprivate var index = 0
    }

    /// The place before the first step.
    package var start: Position { Position() }

    /// The step at `position`, which moves past it; `nil` at the end.
    package func next(_ position: inout Position) -> StepRecord? {
        guard position.chunk < chunks.count else { return nil }
        let record = chunks[position.chunk][position.index]
        position.index += 1
        if position.index == chunks[position.chunk].count {
            position = Position(chunk: position.chunk + 1, index: 0)
        }
        return record
    }
}
