import MonitorCore

/// What is computed of a step when it is first needed.
private final class LazyValues {
    var median: Double?
    var hasUpdates: Bool?
}

/// Where the numbers of a metric are in those of a step: one for each layer, by its position.
///
/// It has no reference, so that screens of layers cost no counting of references.
struct Column: Sendable, BitwiseCopyable {
    fileprivate let start: Int

    /// The number of the layer at a position; `MissingValue.number` if it was not posted.
    ///
    /// Memory: `StepValues` makes columns that are within its arrays, and positions are below the number of layers.
    @inline(__always)
    func value(_ position: Int, in numbers: Span<Double>) -> Double { unsafe numbers[unchecked: start &+ position] }
}

/// The numbers of one step, as rules read them.
struct StepValues {
    /// The step.
    let record: StepRecord
    /// Where the numbers are.
    let columns: StepColumns
    private let computed = LazyValues()
    /// The natural logarithms of `activation_std`, if it is posted. They have a meaning where that is above 0.
    let logarithms: [Double]
    /// `record.numbers`.
    let numbers: [Double]
    private let layerCount: Int

    /// - Parameters:
    ///   - record: the step.
    ///   - columns: where its numbers are.
    ///   - logarithms: memory of an earlier step that is used again.
    init(_ record: StepRecord, _ columns: StepColumns, reusing logarithms: consuming [Double] = []) {
        let (numbers, layerCount) = (record.numbers, record.layerCount)
        precondition(numbers.count >= columns.kinds.count * layerCount, "a step has a number for each metric and layer")
        if logarithms.count != layerCount { logarithms = Array(repeating: 0, count: layerCount) }
        let column = columns.places[Metric.activationStd.rawValue]
        if column >= 0 {
            var results = logarithms.mutableSpan
            let deviations = numbers.span.extracting(column * layerCount..<(column + 1) * layerCount)
            Logarithm.write(of: deviations, to: &results)
        }
        self.record = record
        self.columns = columns
        self.numbers = numbers
        self.layerCount = layerCount
        self.logarithms = logarithms
    }

    /// The column of a metric; `nil` if the steps do not have it.
    func column(_ metric: Metric) -> Column? {
        let column = columns.places[metric.rawValue]
        return column < 0 ? nil : Column(start: column * layerCount)
    }

    /// A metric of a layer; `MissingValue.number` if it was not posted.
    ///
    /// - Parameters:
    ///   - metric: the metric.
    ///   - position: the position of the layer in the step.
    /// - Returns: the number.
    func value(_ metric: Metric, _ position: Int) -> Double {
        let column = columns.places[metric.rawValue]
        return column < 0 ? MissingValue.number : numbers[column * layerCount + position]
    }

    /// A number of a column.
    func value(column: Int, _ position: Int) -> Double { numbers[column * layerCount + position] }

    /// The values of a vector.
    func vector(_ values: Range<Int>) -> ArraySlice<Double> {
        let start = record.firstScalar + record.columns.layout.scalarCount
        return numbers[start + values.lowerBound..<start + values.upperBound]
    }

    /// A scalar; `MissingValue.number` if it was not posted.
    func scalar(_ index: Int?) -> Double { index.map { record.scalar($0) } ?? MissingValue.number }

    /// Whether the optimizer changed the weights of a layer.
    var hasUpdates: Bool {
        if let known = computed.hasUpdates { return known }
        let found = (0..<layerCount).contains { value(.updateRatio, $0) > 0 }
        computed.hasUpdates = found
        return found
    }

    /// The median of the gradient norms of the step's layers that are above 0; 0 if there are none.
    var medianGradient: Double {
        if let known = computed.median { return known }
        let found = computeMedianGradient()
        computed.median = found
        return found
    }

    private func computeMedianGradient() -> Double {
        guard let column = column(.gradientNorm) else { return 0 }
        let numbers = numbers.span
        var norms = Array(repeating: 0.0, count: layerCount)
        var count = 0
        for layer in norms.indices {
            let norm = column.value(layer, in: numbers)
            norms[count] = norm
            count += norm > 0 && norm < .infinity ? 1 : 0
        }
        norms.removeLast(norms.count - count)
        return norms.isEmpty ? 0 : Self.median(of: &norms)
    }

    /// Whether a number of a layer is NaN or infinite.
    var hasNonFinite: Bool {
        let numbers = numbers.span
        for column in columns.kinds.indices {
            let column = numbers.extracting(column * layerCount..<(column + 1) * layerCount)
            // Most columns have only finite numbers, and for these the first loop is enough.
            if Self.hasSpecial(column), Self.hasNonFinite(column) { return true }
        }
        return false
    }

    /// Whether a number is NaN, infinite or missing: times 0 it is NaN, whose exponent has only ones.
    ///
    /// No branches, so that the compiler handles several numbers at once.
    private static func hasSpecial(_ numbers: Span<Double>) -> Bool {
        var bits: UInt64 = 0
        // Memory: the indices are those of the span.
        for index in numbers.indices { bits |= unsafe (numbers[unchecked: index] * 0).bitPattern }
        return bits & 0x7FF0_0000_0000_0000 != 0
    }

    /// Whether a number is NaN or infinite, but not missing.
    private static func hasNonFinite(_ numbers: Span<Double>) -> Bool {
        let missing = MissingValue.number.bitPattern
        var found: UInt64 = 0
        // Memory: the indices are those of the span.
        for index in numbers.indices {
            let bits = unsafe numbers[unchecked: index].bitPattern
            let isSpecial: UInt64 = bits & 0x7FF0_0000_0000_0000 == 0x7FF0_0000_0000_0000 ? 1 : 0
            let isPosted: UInt64 = bits == missing ? 0 : 1
            found |= isSpecial & isPosted
        }
        return found != 0
    }
}
