import Foundations

/// Reads one metric of the layers of steps: a posted one, or a derived one from the inputs of the same step.
struct StepMetric: Sendable {
    private let name: ByteString
    private let derived: DerivedMetric?
    private let runLayers: RunLayers
    private var columns: ColumnTable?
    /// The column of the metric in `columns`; -1 if there is none.
    private var column = -1
    /// The column of each `DerivedMetric.Input` in `columns`; -1 if there is none.
    private var inputs = InlineArray<6, Int>(repeating: -1)
    private var table: LayerTable?
    /// The number of parameters of each layer of `table`.
    private var counts: [Int64?] = []

    /// - Parameters:
    ///   - name: the metric.
    ///   - names: the names that the steps of the run have used.
    ///   - layers: the layers of the run.
    init(_ name: ByteString, in names: RunNames, _ layers: RunLayers) {
        self.name = name
        runLayers = layers
        derived = DerivedMetric(named: name, unlessIn: names)
    }

    /// Finds the columns of a step. Consecutive steps usually share their tables.
    mutating func select(_ record: StepRecord) {
        if columns !== record.columns {
            columns = record.columns
            let layout = record.columns.layout
            let all = 0..<layout.metricCount
            column = all.first { layout.metricName($0).elementsEqual(name.text.utf8) } ?? -1
            for input in derived?.allInputs ?? [] {
                inputs[input.rawValue] = all.first { layout.metricName($0).elementsEqual("\(input.name)".utf8) } ?? -1
            }
        }
        if derived?.needsCount == true, table !== record.table {
            table = record.table
            counts = (0..<record.layerCount).map { runLayers[record.table.layout.idBytes($0)]?.parameterCount }
        }
    }

    /// The value of a layer of the step that was selected last; `MissingValue.number` if there is none.
    @inline(__always)
    func value(_ record: StepRecord, layer: Int) -> Double {
        if let derived { return self.derived(derived, record, layer) }
        return column < 0 ? MissingValue.number : record.value(column: column, layer: layer)
    }

    private func derived(_ metric: DerivedMetric, _ record: StepRecord, _ layer: Int) -> Double {
        var numbers = DerivedMetric.noInputs
        for input in inputs.indices where inputs[input] >= 0 {
            numbers[input] = record.value(column: inputs[input], layer: layer)
        }
        return metric.value(numbers, parameters: counts.isEmpty ? nil : counts[layer])
    }
}
