/// Sums up steps, and summaries of steps, of a run.
///
/// The tables of what is added are chosen before (`SeriesTables`): they have every series of every step.
struct SeriesAccumulator {
    /// Which series.
    private(set) var tables: SeriesTables
    /// The values of the series; see `SeriesNumbers`.
    private(set) var minimum: [Double]
    private(set) var maximum: [Double]
    private(set) var last: [Double]
    private(set) var nonfinite: [UInt32]
    /// The step that posted each value of `last`, -1 where nothing was posted; empty if it is not recorded.
    private(set) var lastSteps: [Int64]
    /// The number of steps and summaries that were added.
    private(set) var count = 0
    /// The highest step that was added; -1 for none.
    private var highest: Int64 = -1
    /// The place of each series of other tables.
    private var maps: [SeriesTables: [Int32]] = [:]

    /// - Parameters:
    ///   - tables: which series.
    ///   - recordsLastSteps: whether a step may be added that is lower than one before.
    init(_ tables: SeriesTables, recordsLastSteps: Bool) {
        self.tables = tables
        let count = tables.count
        minimum = [Double](repeating: .infinity, count: count)
        maximum = [Double](repeating: -.infinity, count: count)
        last = [Double](repeating: MissingValue.number, count: count)
        nonfinite = [UInt32](repeating: 0, count: count)
        lastSteps = recordsLastSteps ? [Int64](repeating: -1, count: count) : []
    }

    /// Whether all series that have a value got their last one from the same step, which is the highest.
    var hasUniformLastSteps: Bool { lastSteps.allSatisfy { $0 < 0 || $0 == highest } }

    /// Heap bytes of the arrays.
    var heapBytes: Int {
        minimum.heapBytes + maximum.heapBytes + last.heapBytes + nonfinite.heapBytes + lastSteps.heapBytes
    }

    /// Adds a step. Only if the steps of `last` are recorded it may be lower than one before.
    mutating func add(_ record: StepRecord) {
        let others = SeriesTables(record)
        let step = record.step
        if others == tables, step > highest {
            var start = 0
            while start < last.count {
                let block = start..<min(start + Self.blockSize, last.count)
                if !addPlain(record.numbers, block, step: step) {
                    for index in block { add(record.numbers[index], at: index, step: step) }
                }
                start = block.upperBound
            }
        } else if others == tables {
            for index in last.indices { add(record.numbers[index], at: index, step: step) }
        } else {
            for (index, place) in map(others).enumerated() { add(record.numbers[index], at: Int(place), step: step) }
        }
        count += 1
        highest = max(highest, step)
    }

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
        let others = SeriesTables(numbers)
        if others == tables, numbers.lastSteps.isEmpty, highest > self.highest {
            // Where it has no finite value it has infinities, which change no bound.
            let all = 0..<last.count
            unsafe numbers.minimum.withUnsafeBufferPointer { unsafe Self.lower(&minimum, by: $0, all) }
            unsafe numbers.maximum.withUnsafeBufferPointer { unsafe Self.raise(&maximum, by: $0, all) }
            unsafe numbers.last.withUnsafeBufferPointer { values in
                unsafe Self.replace(&last, &lastSteps, by: values, all, step: highest)
            }
            for (index, count) in numbers.nonfinite.enumerated() { nonfinite[index] &+= count }
        } else {
            let map = others == tables ? nil : map(others)
            for (index, value) in numbers.last.enumerated() where !MissingValue.isMissing(value) {
                let place = map.map { Int($0[index]) } ?? index
                minimum[place] = min(minimum[place], numbers.minimum[index])
                maximum[place] = max(maximum[place], numbers.maximum[index])
                if !numbers.nonfinite.isEmpty { nonfinite[place] &+= numbers.nonfinite[index] }
                takeLast(value, at: place, step: numbers.lastSteps.isEmpty ? highest : numbers.lastSteps[index])
            }
        }
        count += 1
        self.highest = max(self.highest, highest)
    }

    /// Takes the series of other tables as well.
    mutating func extend(to other: SeriesTables) {
        if other == tables || maps[other] != nil { return }
        let union = tables.union(other, ledger: nil)
        guard union != tables else { return }
        var extended = SeriesAccumulator(union, recordsLastSteps: !lastSteps.isEmpty)
        for (index, place) in tables.places(in: union).enumerated() {
            let place = Int(place)
            extended.minimum[place] = minimum[index]
            extended.maximum[place] = maximum[index]
            extended.last[place] = last[index]
            extended.nonfinite[place] = nonfinite[index]
            if !lastSteps.isEmpty { extended.lastSteps[place] = lastSteps[index] }
        }
        extended.count = count
        extended.highest = highest
        self = extended
    }

    private mutating func map(_ other: SeriesTables) -> [Int32] {
        if let known = maps[other] { return known }
        let map = other.places(in: tables)
        maps[other] = map
        return map
    }
}

/// Whole columns. The loops have no branches, so that the compiler handles several numbers at once.
///
/// Memory: each pointer is used only inside its closure, below the count of its array; `values` has at least as many
/// elements as the array that is changed, and all arrays but an empty `lastSteps` have the same count.
extension SeriesAccumulator {
    /// The numbers of a block: few enough that they are still in the cache when they are read again.
    private static let blockSize = 256

    /// Adds a block of values of a step that is higher than all before, if they are all finite or missing.
    ///
    /// - Returns: whether they were added.
    private mutating func addPlain(_ values: [Double], _ block: Range<Int>, step: Int64) -> Bool {
        unsafe values.withUnsafeBufferPointer { values in
            var special: UInt64 = 0
            for index in block {
                let bits = unsafe values[index].bitPattern
                let isSpecial = bits & 0x7FF0_0000_0000_0000 == 0x7FF0_0000_0000_0000
                let isMissing = bits == MissingValue.number.bitPattern
                special |= (isSpecial ? 1 : 0) & (isMissing ? 0 : 1)
            }
            guard special == 0 else { return false }
            unsafe Self.lower(&minimum, by: values, block)
            unsafe Self.raise(&maximum, by: values, block)
            unsafe Self.replace(&last, &lastSteps, by: values, block, step: step)
            return true
        }
    }

    private static func lower(_ bounds: inout [Double], by values: UnsafeBufferPointer<Double>, _ block: Range<Int>) {
        unsafe bounds.withUnsafeMutableBufferPointer { bounds in
            for index in block {
                let (value, bound) = unsafe (values[index], bounds[index])
                // False for a missing value, which is a NaN.
                unsafe bounds[index] = value < bound ? value : bound
            }
        }
    }

    private static func raise(_ bounds: inout [Double], by values: UnsafeBufferPointer<Double>, _ block: Range<Int>) {
        unsafe bounds.withUnsafeMutableBufferPointer { bounds in
            for index in block {
                let (value, bound) = unsafe (values[index], bounds[index])
                unsafe bounds[index] = value > bound ? value : bound
            }
        }
    }

    private static func replace(
        _ last: inout [Double], _ lastSteps: inout [Int64], by values: UnsafeBufferPointer<Double>,
        _ block: Range<Int>, step: Int64
    ) {
        unsafe last.withUnsafeMutableBufferPointer { last in
            for index in block {
                let (value, before) = unsafe (values[index], last[index])
                unsafe last[index] = MissingValue.isMissing(value) ? before : value
            }
        }
        if lastSteps.isEmpty { return }
        unsafe lastSteps.withUnsafeMutableBufferPointer { steps in
            for index in block {
                let (value, before) = unsafe (values[index], steps[index])
                unsafe steps[index] = MissingValue.isMissing(value) ? before : step
            }
        }
    }
}
