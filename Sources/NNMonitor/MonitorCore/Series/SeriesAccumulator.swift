/// Sums up steps, and summaries of steps, of a run.
///
/// The tables of what is added are chosen before (`SeriesTables`): they have every series of every step.
struct SeriesAccumulator {
    /// The summary of one series; see `SeriesNumbers`.
    struct Entry: BitwiseCopyable {
        var minimum = Double.infinity
        var maximum = -Double.infinity
        var last = MissingValue.number
        /// The step that posted `last`; -1 if nothing was posted.
        var lastStep: Int64 = -1
        var nonfinite: UInt32 = 0

        @inline(__always)
        mutating func add(_ value: Double, step: Int64) {
            if value.isFinite {
                if value < minimum { minimum = value }
                if value > maximum { maximum = value }
            } else {
                if MissingValue.isMissing(value) { return }
                nonfinite &+= 1
            }
            if step >= lastStep {
                last = value
                lastStep = step
            }
        }

        @inline(__always)
        mutating func add(_ other: Entry) {
            if MissingValue.isMissing(other.last) { return }
            if other.minimum < minimum { minimum = other.minimum }
            if other.maximum > maximum { maximum = other.maximum }
            nonfinite &+= other.nonfinite
            if other.lastStep >= lastStep {
                last = other.last
                lastStep = other.lastStep
            }
        }
    }

    /// Which series.
    private(set) var tables: SeriesTables
    /// The summaries of the series.
    private(set) var entries: [Entry]
    /// The place of each series of other tables.
    private var maps: [SeriesTables: [Int32]] = [:]

    /// - Parameter tables: which series.
    init(_ tables: SeriesTables) {
        self.tables = tables
        entries = [Entry](repeating: Entry(), count: tables.count)
    }

    /// Whether all series that have a value got their last one from the same step, which is the highest.
    var hasUniformLastSteps: Bool {
        let highest = entries.reduce(-1) { max($0, $1.lastStep) }
        return entries.allSatisfy { $0.lastStep < 0 || $0.lastStep == highest }
    }

    /// Heap bytes of the summaries.
    var heapBytes: Int { entries.heapBytes }

    /// Adds a step in any order.
    mutating func add(_ record: StepRecord) {
        let others = SeriesTables(record)
        let map = others == tables ? nil : map(others)
        let values = record.numbers
        let numbers = values.span
        let step = record.step
        var entries = entries.mutableSpan
        if let map {
            for index in map.indices { entries[Int(map[index])].add(numbers[index], step: step) }
        } else {
            for index in entries.indices { entries[index].add(numbers[index], step: step) }
        }
    }

    /// Adds a summary of steps.
    ///
    /// - Parameters:
    ///   - numbers: the summary.
    ///   - highest: the highest of its steps.
    mutating func add(_ numbers: SeriesNumbers, highest: Int64) {
        let others = SeriesTables(numbers)
        let map = others == tables ? nil : map(others)
        let (minimum, maximum, last) = (numbers.minimum, numbers.maximum, numbers.last)
        let (nonfinite, lastSteps) = (numbers.nonfinite, numbers.lastSteps)
        var entries = entries.mutableSpan
        for index in last.indices {
            let other = Entry(
                minimum: minimum[index], maximum: maximum[index], last: last[index],
                lastStep: lastSteps.isEmpty ? highest : lastSteps[index],
                nonfinite: nonfinite.isEmpty ? 0 : nonfinite[index])
            entries[map.map { Int($0[index]) } ?? index].add(other)
        }
    }

    /// Takes the series of other tables as well.
    mutating func extend(to other: SeriesTables) {
        if other == tables { return }
        let union = tables.union(other, ledger: nil)
        guard union != tables else { return }
        var extended = SeriesAccumulator(union)
        for (entry, place) in zip(entries, tables.places(in: union)) { extended.entries[Int(place)] = entry }
        self = extended
    }

    private mutating func map(_ other: SeriesTables) -> [Int32] {
        if let known = maps[other] { return known }
        let map = other.places(in: tables)
        maps[other] = map
        return map
    }
}
