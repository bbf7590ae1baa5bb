/// The minimum, maximum, last value and count of non-finite values of each series, over neighbouring steps of a run.
///
/// The series are those of `table` and `columns`, in the order of `StepRecord.numbers`: for each metric one per layer,
/// then the scalars. Immutable, so that snapshots share it.
final class SeriesNumbers: Sendable {
    /// The layers.
    let table: LayerTable
    /// The names of metrics and scalars.
    let columns: ColumnTable
    /// The least finite value; infinity where there is none.
    let minimum: [Double]
    /// The largest finite value; -infinity where there is none.
    let maximum: [Double]
    /// The last value of the highest step that posted one; `MissingValue.number` where nothing was posted.
    let last: [Double]
    /// The number of values that are not finite; empty if all are finite.
    let nonfinite: [UInt32]
    /// The step that posted `last`; empty if it is not known, or if it is the highest step for each series.
    let lastSteps: [Int64]
    /// The number of distinct arrays among `minimum`, `maximum` and `last`.
    private let arrays: Int
    private let ledger: RunLedger?

    /// - Parameters:
    ///   - accumulator: the values.
    ///   - ledger: counts the numbers as long as they exist; `nil`: they are not counted.
    init(_ accumulator: SeriesAccumulator, ledger: RunLedger?) {
        table = accumulator.tables.layers
        columns = accumulator.tables.columns
        last = accumulator.last
        // Of a single step they are often equal, and share their memory.
        let isSingle = accumulator.count == 1
        let isMinimum = isSingle && accumulator.minimum == accumulator.last
        let isMaximum = isSingle && accumulator.maximum == accumulator.last
        minimum = isMinimum ? accumulator.last : accumulator.minimum
        maximum = isMaximum ? accumulator.last : accumulator.maximum
        arrays = (isMinimum ? 0 : 1) + (isMaximum ? 0 : 1) + 1
        nonfinite = accumulator.nonfinite.contains { $0 > 0 } ? accumulator.nonfinite : []
        lastSteps = accumulator.hasUniformLastSteps ? [] : accumulator.lastSteps
        self.ledger = ledger
        ledger?.add(memory)
    }

    deinit { ledger?.subtract(memory) }

    /// The number of series.
    var count: Int { last.count }

    /// Bytes of the object and its arrays. The tables are shared.
    var memory: Int {
        144 + arrays * last.heapBytes + nonfinite.heapBytes + lastSteps.heapBytes
    }
}

/// What a bucket is made of, in ascending order of steps.
enum SeriesSource: Sendable {
    /// A step.
    case step(StepRecord)
    /// The summary of several steps.
    case numbers(SeriesNumbers)

    var table: LayerTable {
        switch self {
        case .step(let record): record.table
        case .numbers(let numbers): numbers.table
        }
    }

    var columns: ColumnTable {
        switch self {
        case .step(let record): record.columns
        case .numbers(let numbers): numbers.columns
        }
    }
}
