import MonitorCore

/// Where the numbers that rules read are in steps with the same names.
struct StepColumns: Sendable {
    /// For each `Metric` the index of its column; -1 if the steps do not have it.
    private(set) var places = InlineArray<17, Int>(repeating: -1)
    /// For each column what it is measured on.
    private(set) var kinds: [MetricKind] = []
    /// The indices of the scalars; `nil` if the steps do not have them.
    private(set) var loss: Int?
    private(set) var gradNorm: Int?
    private(set) var skipped: Int?
    /// The learning rates of all groups.
    private(set) var learningRates: [Int] = []
    /// The vectors with the load of a router: the layer's id, and where the values are behind the scalars.
    private(set) var routers: [(layer: ArraySlice<UInt8>, values: Range<Int>)] = []

    /// Finds the names.
    ///
    /// - Parameters:
    ///   - layout: the names of the steps.
    ///   - names: the names that the rules interpret.
    init(_ layout: ColumnLayout, _ names: InterpretedNames) {
        for column in 0..<layout.metricCount {
            let name = layout.metricName(column)
            kinds.append(MetricKind(name: name))
            if let metric = Metric.allCases.first(where: { $0.name.utf8.elementsEqual(name) }) {
                places[metric.rawValue] = column
            }
        }
        let scalars = (0..<layout.scalarCount).map { String(decoding: layout.scalarName($0), as: UTF8.self) }
        loss = Self.first(of: names.loss, scalars)
        gradNorm = Self.first(of: names.gradNorm, scalars)
        skipped = scalars.firstIndex(of: "optimizer_skipped")
        if let one = Self.first(of: names.learningRate, scalars) {
            learningRates = [one]
        } else {
            learningRates = scalars.indices.filter { index in
                names.learningRate.contains { scalars[index].hasPrefix("\($0)/") }
            }
        }
        var start = 0
        for vector in 0..<layout.vectorCount {
            let values = start..<start + layout.vectorLength(vector)
            start = values.upperBound
            if names.routerLoad.contains(where: { $0.utf8.elementsEqual(layout.vectorName(vector)) }) {
                routers.append((layout.vectorLayer(vector), values))
            }
        }
    }

    private static func first(of names: [String], _ scalars: [String]) -> Int? {
        names.lazy.compactMap { scalars.firstIndex(of: $0) }.first
    }

    /// Whether the steps have a metric.
    func has(_ metric: Metric) -> Bool { places[metric.rawValue] >= 0 }
}

/// The names of scalars and vectors that rules interpret; the first one that a step has counts.
package struct InterpretedNames: Sendable, Equatable {
    /// The loss.
    package var loss = ["train/loss", "loss", "train_loss"]
    /// The learning rate; of several groups (`lr/NAME`) the largest.
    package var learningRate = ["lr", "train/lr", "learning_rate", "train/learning_rate"]
    /// The norm of all gradients.
    package var gradNorm = ["grad_norm", "train/grad_norm"]
    /// The vector with the share of tokens of each expert.
    package var routerLoad = ["router_load"]
}

/// A number that is computed when it is first needed.
final class LazyNumber {
    private var number: Double?

    func value(_ compute: () -> Double) -> Double {
        if let number { return number }
        let computed = compute()
        number = computed
        return computed
    }
}

/// The numbers of one layer in one step.
struct LayerInputs: Sendable, BitwiseCopyable {
    private var values = InlineArray<17, Double>(repeating: MissingValue.number)
    /// The natural logarithm of `activation_std`, where that is above 0.
    private(set) var activationLogarithm = 0.0
    /// The natural logarithm of `gradient_l2_norm`, where that is above 0.
    private(set) var gradientLogarithm = 0.0

    /// A metric; `MissingValue.number` if it was not posted.
    subscript(metric: Metric) -> Double {
        @inline(__always) get { values[metric.rawValue] }
    }

    fileprivate mutating func set(_ metric: Metric, _ value: Double) {
        values[metric.rawValue] = value
        switch metric {
        case .activationStd where value > 0: activationLogarithm = Logarithm.of(value)
        case .gradientNorm where value > 0: gradientLogarithm = Logarithm.of(value)
        default: break
        }
    }
}

/// The numbers of one step, as rules read them.
struct StepValues {
    /// The step.
    let record: StepRecord
    /// Where the numbers are.
    let columns: StepColumns
    private let numbers: [Double]
    private let layerCount: Int
    /// The median of the gradient norms.
    let median = LazyNumber()
    /// The numbers of each layer.
    private(set) var inputs: [LayerInputs]

    /// - Parameters:
    ///   - record: the step.
    ///   - columns: where its numbers are.
    ///   - inputs: memory of an earlier step that is used again.
    init(_ record: StepRecord, _ columns: StepColumns, reusing inputs: consuming [LayerInputs] = []) {
        self.record = record
        self.columns = columns
        numbers = record.numbers
        layerCount = record.layerCount
        inputs.removeAll(keepingCapacity: true)
        inputs.append(contentsOf: repeatElement(LayerInputs(), count: layerCount))
        self.inputs = inputs
        for metric in Metric.allCases where columns.has(metric) { take(metric) }
    }

    private mutating func take(_ metric: Metric) {
        let column = columns.places[metric.rawValue] * layerCount
        let numbers = numbers
        let values = numbers.span.extracting(column..<column + layerCount)
        var inputs = inputs.mutableSpan
        for layer in values.indices { inputs[layer].set(metric, values[layer]) }
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

    /// Whether a number of a layer is NaN or infinite.
    ///
    /// Memory: the pointer is used only inside the closure, below the count of the numbers.
    var hasNonFinite: Bool {
        let count = min(columns.kinds.count * layerCount, numbers.count)
        return unsafe numbers.withUnsafeBufferPointer { numbers in
            var special: UInt64 = 0
            // No branches, so that the compiler handles several numbers at once.
            for index in 0..<count {
                let bits = unsafe numbers[index].bitPattern
                let isSpecial: UInt64 = bits & 0x7FF0_0000_0000_0000 == 0x7FF0_0000_0000_0000 ? 1 : 0
                let isPosted: UInt64 = bits == 0x7FF8_0000_0000_A85E ? 0 : 1
                special |= isSpecial & isPosted
            }
            return special != 0
        }
    }
}
