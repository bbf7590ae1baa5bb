/// Sums up steps, and summaries of steps, of a run.
///
/// The tables of what is added are chosen before (`SeriesTables`): they have every series of every step.
struct SeriesAccumulator {
    /// The layers.
    let table: LayerTable
    /// The names of metrics and scalars.
    let columns: ColumnTable
    /// See `SeriesNumbers`, also for the others.
    private(set) var minimum: [Double]
    private(set) var maximum: [Double]
    private(set) var last: [Double]
    private(set) var nonfinite: [UInt32]
    /// The step that posted each value of `last`; -1 where nothing was posted. Empty if it is not recorded.
    private(set) var lastSteps: [Int64]
    /// The place of each series of other tables.
    private var maps: [SeriesTables: [Int32]] = [:]

    /// - Parameters:
    ///   - tables: which series.
    ///   - recordsLastSteps: whether steps may be added that are lower than others before them.
    init(_ tables: SeriesTables, recordsLastSteps: Bool) {
        table = tables.layers
        columns = tables.columns
        let count = tables.count
        minimum = [Double](repeating: .infinity, count: count)
        maximum = [Double](repeating: -.infinity, count: count)
        last = [Double](repeating: MissingValue.number, count: count)
        nonfinite = [UInt32](repeating: 0, count: count)
        lastSteps = recordsLastSteps ? [Int64](repeating: -1, count: count) : []
    }

    /// The tables.
    var tables: SeriesTables { SeriesTables(layers: table, columns: columns) }

    /// Whether all series that have a value got their last one from the same step, which is the highest.
    var hasUniformLastSteps: Bool {
        guard let highest = lastSteps.max() else { return true }
        return lastSteps.allSatisfy { $0 < 0 || $0 == highest }
    }

    /// Heap bytes of the arrays.
    var heapBytes: Int {
        minimum.heapBytes + maximum.heapBytes + last.heapBytes + nonfinite.heapBytes + lastSteps.heapBytes
    }

    /// Adds a step.
    mutating func add(_ record: StepRecord) {
        let tables = SeriesTables(layers: record.table, columns: record.columns)
        if tables == self.tables {
            for index in 0..<last.count { add(record.numbers[index], at: index, step: record.step) }
        } else {
            for (index, place) in map(tables).enumerated() {
                add(record.numbers[index], at: Int(place), step: record.step)
            }
        }
    }

    @inline(__always)
    private mutating func add(_ value: Double, at place: Int, step: Int64) {
        if value.isFinite {
            if value < minimum[place] { minimum[place] = value }
            if value > maximum[place] { maximum[place] = value }
        } else {
            if MissingValue.isMissing(value) { return }
            nonfinite[place] &+= 1
        }
        takeLast(value, at: place, step: step)
    }

    @inline(__always)
    private mutating func takeLast(_ value: Double, at place: Int, step: Int64) {
        if lastSteps.isEmpty {
            last[place] = value
        } else if step >= lastSteps[place] {
            last[place] = value
            lastSteps[place] = step
        }
    }

    /// Adds a summary of steps.
    ///
    /// - Parameters:
    ///   - numbers: the summary.
    ///   - highest: the highest of its steps.
    mutating func add(_ numbers: SeriesNumbers, highest: Int64) {
        let tables = SeriesTables(layers: numbers.table, columns: numbers.columns)
        let map = tables == self.tables ? nil : map(tables)
        for index in 0..<numbers.count {
            let value = numbers.last[index]
            if MissingValue.isMissing(value) { continue }
            let place = map.map { Int($0[index]) } ?? index
            if numbers.minimum[index] < minimum[place] { minimum[place] = numbers.minimum[index] }
            if numbers.maximum[index] > maximum[place] { maximum[place] = numbers.maximum[index] }
            if !numbers.nonfinite.isEmpty { nonfinite[place] &+= numbers.nonfinite[index] }
            takeLast(value, at: place, step: numbers.lastSteps.isEmpty ? highest : numbers.lastSteps[index])
        }
    }

    private mutating func map(_ other: SeriesTables) -> [Int32] {
        if let known = maps[other] { return known }
        let map = other.places(in: tables)
        maps[other] = map
        return map
    }
}
