package import Foundations

/// Which run a step belongs to: 1 to 512 bytes, equal only to the same bytes.
package typealias RunID = ByteString

/// A step as a payload gave it, decoded and valid, before the store has placed it in a run.
package struct DecodedStep: Sendable {
    /// The run it belongs to.
    package internal(set) var runID: RunID = ""
    /// Number of the step, at least 0.
    package internal(set) var step: Int64 = 0
    /// Unix time in seconds at which the trainer took the statistics.
    package internal(set) var timestamp: Double = 0
    /// Samples in the step's batch, at least 1.
    package internal(set) var batchSize: Int64 = 0
    /// Structure of the model.
    package internal(set) var layout = LayerLayout()
    /// Activation shape of each layer.
    package internal(set) var shapes = ActivationShapes()
    /// `LayerMetric.count` numbers a layer, then the values of `gradient_norm_ratio`, then `feature_std_gradient`.
    package internal(set) var numbers: [Double] = []

    package init() {}
}

/// One stored step: the numbers are its own, the structure is shared with its neighbours.
package final class StepRecord: Sendable {
    /// Number of the step, at least 0.
    package let step: Int64
    /// Unix time in seconds at which the trainer took the statistics.
    package let timestamp: Double
    /// Samples in the step's batch, at least 1.
    package let batchSize: Int64
    /// Structure of the model.
    package let table: LayerTable
    /// Activation shape of each layer.
    package let shapes: ShapeTable
    /// `LayerMetric.count` numbers a layer, then the values of `gradient_norm_ratio`, then `feature_std_gradient`.
    package let numbers: [Double]

    package init(_ decoded: DecodedStep, table: LayerTable, shapes: ShapeTable) {
        step = decoded.step
        timestamp = decoded.timestamp
        batchSize = decoded.batchSize
        numbers = decoded.numbers.fitted()
        self.table = table
        self.shapes = shapes
    }

    /// Number of layers.
    package var layerCount: Int { table.layout.layerCount }

    /// One number of one layer; `Absent.number` where it was not posted.
    package func value(_ metric: LayerMetric, layer: Int) -> Double {
        numbers[layer * LayerMetric.count + metric.rawValue]
    }

    /// Bytes that belong to this step alone: the object, its array and its place in the run.
    package var memory: Int { 112 + numbers.heapBytes }
}
