package import Foundations

/// A run id: 1 to 512 bytes, compared as bytes.
package typealias RunID = ByteString

/// The contents of a step while it is decoded.
struct StepContents: Sendable {
    /// The id of the step's run.
    var runID: RunID = ""
    /// The step number, at least 0.
    var step: Int64 = 0
    /// Unix time in seconds at which the trainer took the statistics.
    var timestamp: Double = 0
    /// Samples in the step's batch, at least 1; 0 if none were posted.
    var batchSize: Int64 = 0
    /// Structure of the model. Empty if the step has the known one.
    var layout = LayerLayout()
    /// Activation shape of each layer. Empty if the step has the known ones.
    var shapes = ActivationShapes()
    /// Names of the numbers. Empty if the step has the known ones.
    var columns = ColumnLayout()
    /// The numbers, as in `StepRecord.numbers`.
    var numbers: [Double] = []
}

/// A decoded and validated step that the store has not yet added to a run.
package struct DecodedStep: Sendable {
    /// The contents, on the heap: a step is copied on its way to the store, and its contents have some 20 references.
    private final class Box: Sendable {
        let contents: StepContents

        init(_ contents: consuming StepContents) { self.contents = contents }
    }

    private let box: Box
    /// The tables of an earlier step that this step has as well.
    package internal(set) var known = KnownTables()
    /// The text of `layers` in the open wire, if `known` has its tables and the shapes shall keep it; otherwise empty.
    package internal(set) var layersText: [UInt8] = []

    /// Whether an earlier step came in the same body, so that this one shows nothing of how often the trainer posts.
    package var followsInBody = false

    /// A step that is complete.
    init(_ contents: consuming StepContents) { box = Box(contents) }

    /// The contents.
    var contents: StepContents { box.contents }
    /// The id of the step's run.
    package var runID: RunID { box.contents.runID }
    /// The step number, at least 0.
    package var step: Int64 { box.contents.step }
    /// Unix time in seconds at which the trainer took the statistics.
    package var timestamp: Double { box.contents.timestamp }
    /// Samples in the step's batch, at least 1; 0 if none were posted.
    package var batchSize: Int64 { box.contents.batchSize }
    /// Structure of the model. Empty if `known` has it.
    package var layout: LayerLayout { box.contents.layout }
    /// Activation shape of each layer. Empty if `known` has them.
    package var shapes: ActivationShapes { box.contents.shapes }
    /// Names of the numbers. Empty if `known` has them.
    package var columns: ColumnLayout { box.contents.columns }
    /// The numbers, as in `StepRecord.numbers`.
    package var numbers: [Double] { box.contents.numbers }
}

extension DecodedStep {
    /// The shapes in `known`, with the text of `layers` if they shall keep it.
    func knownShapes(ledger: RunLedger? = nil) -> ShapeTable? {
        guard let shapes = known.shapes, let layers = known.layers, !layersText.isEmpty else { return known.shapes }
        return ShapeTable(shapes, postedText: layersText, layers: layers, ledger: ledger)
    }
}

/// The tables of an earlier step of a run. A decoder that recognises their text does not parse it again.
package struct KnownTables: Sendable {
    /// Structure of the model.
    package var layers: LayerTable?
    /// Activation shape of each layer.
    package var shapes: ShapeTable?
    /// Names of the numbers.
    package var columns: ColumnTable?

    /// No tables.
    package init() {}

    /// Takes the tables of a later step. If it has no layers, those of the step before stay.
    package mutating func note(_ record: StepRecord) {
        if record.layerCount > 0 {
            layers = record.table
            shapes = record.shapes
        }
        columns = record.columns
    }

    /// - Parameters:
    ///   - layers: structure of the model.
    ///   - shapes: activation shape of each layer.
    ///   - columns: names of the numbers.
    init(layers: LayerTable, shapes: ShapeTable, columns: ColumnTable) {
        self.layers = layers
        self.shapes = shapes
        self.columns = columns
    }
}

/// One stored step. It owns its numbers; consecutive steps share their tables.
package final class StepRecord: Sendable {
    /// The step number, at least 0.
    package let step: Int64
    /// The number of this change of the run: 1, 2, 3, … in the order in which the run's steps were accepted.
    package let seq: UInt64
    /// Unix time in seconds at which the trainer took the statistics.
    package let timestamp: Double
    /// Samples in the step's batch, at least 1; 0 if none were posted.
    package let batchSize: Int64
    /// Structure of the model.
    package let table: LayerTable
    /// Activation shape of each layer.
    package let shapes: ShapeTable
    /// Names of the numbers.
    package let columns: ColumnTable
    /// For each metric one number per layer, then one number per scalar, then the values of each vector. A number that
    /// was not posted is `MissingValue.number`.
    package let numbers: [Double]
    private let ledger: RunLedger?

    /// Copies the numbers of a decoded step without spare capacity.
    ///
    /// - Parameters:
    ///   - decoded: the step.
    ///   - seq: the number of this change of the run.
    ///   - table: the structure of `decoded`.
    ///   - shapes: the activation shapes of `decoded`.
    ///   - columns: the names of the numbers of `decoded`.
    ///   - ledger: counts the step as long as it exists; `nil`: it is not counted.
    package init(
        _ decoded: DecodedStep, seq: UInt64, table: LayerTable, shapes: ShapeTable, columns: ColumnTable,
        ledger: RunLedger? = nil
    ) {
        step = decoded.step
        self.seq = seq
        timestamp = decoded.timestamp
        batchSize = decoded.batchSize
        numbers = decoded.numbers.shrunkToFit()
        self.table = table
        self.shapes = shapes
        self.columns = columns
        self.ledger = ledger
        ledger?.add(memory)
    }

    deinit { ledger?.subtract(memory) }

    /// Makes a record with tables of its own, as the first step of a run has them.
    package convenience init(_ decoded: DecodedStep, seq: UInt64 = 1) {
        self.init(
            decoded, seq: seq, table: decoded.known.layers ?? LayerTable(decoded.layout),
            shapes: decoded.knownShapes() ?? ShapeTable(decoded.shapes),
            columns: decoded.known.columns ?? ColumnTable(decoded.columns))
    }

    /// Identifies the structure and the shapes of the layers: steps with equal identifiers have equal `layers`.
    package var structure: StructureID { StructureID(layers: table.number, shapes: shapes.number) }

    /// Number of layers.
    package var layerCount: Int { table.layout.layerCount }

    /// The index in `numbers` of the first scalar.
    package var firstScalar: Int { columns.layout.metricCount * layerCount }

    /// One number of one layer; `MissingValue.number` if it was not posted.
    package func value(column: Int, layer: Int) -> Double { numbers[column * layerCount + layer] }

    /// One of v1's numbers of one layer; `MissingValue.number` if it was not posted.
    package func value(_ metric: LayerMetric, layer: Int) -> Double {
        let column = columns.v1Columns[metric.column]
        return column < 0 ? MissingValue.number : value(column: column, layer: layer)
    }

    /// The value of a scalar.
    package func scalar(_ index: Int) -> Double { numbers[firstScalar + index] }

    /// The values of each vector, in the order of `columns`.
    package var vectors: [ArraySlice<Double>] {
        var start = firstScalar + columns.layout.scalarCount
        return (0..<columns.layout.vectorCount).map { vector in
            defer { start += columns.layout.vectorLength(vector) }
            return numbers[start..<start + columns.layout.vectorLength(vector)]
        }
    }

    /// Bytes that only this step holds: the object, its array and its entry in the run.
    package var memory: Int { 128 + numbers.heapBytes }
}
