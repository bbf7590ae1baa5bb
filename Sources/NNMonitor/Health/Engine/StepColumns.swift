import MonitorCore

/// Where the numbers that rules read are in steps with the same names.
final class StepColumns: Sendable {
    /// For each `Metric` the index of its column; -1 if the steps do not have it.
    let places: InlineArray<17, Int>
    /// For each column what it is measured on.
    let kinds: [MetricKind]
    /// The indices of the scalars; `nil` if the steps do not have them.
    let loss: Int?
    let gradNorm: Int?
    let skipped: Int?
    /// The learning rates of all groups.
    let learningRates: [Int]
    /// The vectors with the load of a router: the layer's id, and where the values are behind the scalars.
    let routers: [(layer: ArraySlice<UInt8>, values: Range<Int>)]

    /// Finds the names.
    ///
    /// - Parameters:
    ///   - layout: the names of the steps.
    ///   - names: the names that the rules interpret.
    init(_ layout: ColumnLayout, _ names: InterpretedNames) {
        var places = InlineArray<17, Int>(repeating: -1)
        var kinds: [MetricKind] = []
        for column in 0..<layout.metricCount {
            let name = layout.metricName(column)
            kinds.append(MetricKind(name: name))
            if let metric = Metric.allCases.first(where: { $0.name.utf8.elementsEqual(name) }) {
                places[metric.rawValue] = column
            }
        }
        (self.places, self.kinds) = (places, kinds)
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
        var routers: [(layer: ArraySlice<UInt8>, values: Range<Int>)] = []
        var start = 0
        for vector in 0..<layout.vectorCount {
            let values = start..<start + layout.vectorLength(vector)
            start = values.upperBound
            if names.routerLoad.contains(where: { $0.utf8.elementsEqual(layout.vectorName(vector)) }) {
                routers.append((layout.vectorLayer(vector), values))
            }
        }
        self.routers = routers
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
