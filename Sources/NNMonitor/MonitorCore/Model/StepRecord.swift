package import Foundations

/// A run id: 1 to 512 bytes, compared as bytes.
package typealias RunID = ByteString

/// A decoded and validated step that the store has not yet added to a run.
package struct DecodedStep: Sendable {
    /// The id of the step's run.
    package internal(set) var runID: RunID = ""
    /// The step number, at least 0.
    package internal(set) var step: Int64 = 0
    /// Unix time in seconds at which the trainer took the statistics.
    package internal(set) var timestamp: Double = 0
    /// Samples in the step's batch, at least 1.
    package internal(set) var batchSize: Int64 = 0
    /// Structure of the model.
    package internal(set) var layout = LayerLayout()
    /// Activation shape of each layer.
    package internal(set) var shapes = ActivationShapes()
    /// `LayerMetric.count` numbers per layer, then the values of `gradient_norm_ratio`, then `feature_std_gradient`.
    package internal(set) var numbers: [Double] = []

    /// An empty step, which the decoder fills.
    package init() {}
}

/// One stored step. It owns its numbers; consecutive steps share their structure.
package final class StepRecord: Sendable {
    /// The step number, at least 0.
    package let step: Int64
    /// Unix time in seconds at which the trainer took the statistics.
    package let timestamp: Double
    /// Samples in the step's batch, at least 1.
    package let batchSize: Int64
    /// Structure of the model.
    package let table: LayerTable
    /// Activation shape of each layer.
    package let shapes: ShapeTable
    /// `LayerMetric.count` numbers per layer, then the values of `gradient_norm_ratio`, then `feature_std_gradient`.
    package let numbers: [Double]
    private let ledger: RunLedger?

    /// Copies the numbers of a decoded step without spare capacity.
    ///
    /// - Parameters:
    ///   - decoded: the step.
    ///   - table: the structure of `decoded`.
    ///   - shapes: the activation shapes of `decoded`.
    ///   - ledger: counts the step as long as it exists; `nil`: it is not counted.
    package init(_ decoded: DecodedStep, table: LayerTable, shapes: ShapeTable, ledger: RunLedger? = nil) {
        step = decoded.step
        timestamp = decoded.timestamp
        batchSize = decoded.batchSize
        numbers = decoded.numbers.shrunkToFit()
        self.table = table
        self.shapes = shapes
        self.ledger = ledger
        ledger?.add(memory)
    }

    deinit { ledger?.subtract(memory) }

    /// Number of layers.
    package var layerCount: Int { table.layout.layerCount }

    /// One number of one layer; `MissingValue.number` if it was not posted.
    package func value(_ metric: LayerMetric, layer: Int) -> Double {
        numbers[layer * LayerMetric.count + metric.column]
    }

    /// Bytes that only this step holds: the object, its array and its entry in the run.
    package var memory: Int { 112 + numbers.heapBytes }
}
