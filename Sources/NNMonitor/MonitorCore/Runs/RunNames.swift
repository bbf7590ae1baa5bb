/// The names that a run's steps have used.
package struct RunNames: Sendable {
    /// The names of metrics.
    package private(set) var metrics = NameTable()
    /// The names of scalars.
    package private(set) var scalars = NameTable()
    /// The names of vectors.
    package private(set) var vectors = NameTable()
    /// The ids of layers.
    package private(set) var layers = NameTable()
    /// What the run could not take; `nil` if it took everything.
    package private(set) var ignored: IgnoredNames?
    /// Whether the number of a layer's parameters was posted.
    private var hasParameterCounts = false
    /// Whether `noteV1Metrics` has found every metric of v1 among `metrics`. Names are never removed.
    private(set) var hasAllV1Metrics = false

    /// The number of all names and ids.
    var count: Int { metrics.count + scalars.count + vectors.count + layers.count }

    /// Heap bytes of the tables.
    var heapBytes: Int { metrics.heapBytes + scalars.heapBytes + vectors.heapBytes + layers.heapBytes }

    /// Notes all names of a step.
    ///
    /// The names of numbers come before the ids of layers: without the name of a metric, its numbers of all layers are
    /// lost, without an id those of one layer. A step of v1 has a scalar for each pair of layers, so there the ids come
    /// first.
    ///
    /// - Parameters:
    ///   - layout: the structure of the step.
    ///   - columns: the names of its numbers.
    ///   - maximum: the largest number of names and ids of the run.
    /// - Returns: the names above the maximum, which are not noted.
    mutating func note(_ layout: LayerLayout, _ columns: ColumnLayout, maximum: Int) -> ExcessNames {
        var excess = ExcessNames()
        if layout.parameterCounts.contains(where: { $0 >= 0 }) { hasParameterCounts = true }
        if columns.isV1 { noteLayers(layout, maximum, &excess) }
        // The metrics of a v1 step are noted with their first value (`noteV1Metrics`).
        if !columns.isV1 {
            for metric in 0..<columns.metricCount where !insert(columns.metricName(metric), \.metrics, maximum) {
                excess.metrics.insert(metric)
            }
        }
        for scalar in 0..<columns.scalarCount where !insert(columns.scalarName(scalar), \.scalars, maximum) {
            excess.scalars.insert(scalar)
        }
        for vector in 0..<columns.vectorCount where !insert(columns.vectorName(vector), \.vectors, maximum) {
            excess.vectors.insert(vector)
        }
        if !columns.isV1 { noteLayers(layout, maximum, &excess) }
        for vector in 0..<columns.vectorCount
        where !excess.vectors.contains(vector) && !insert(columns.vectorLayer(vector), \.layers, maximum) {
            excess.vectors.insert(vector)
        }
        if !excess.isEmpty { ignored = IgnoredNames(excess, maximum: maximum, before: ignored) }
        return excess
    }

    private mutating func noteLayers(_ layout: LayerLayout, _ maximum: Int, _ excess: inout ExcessNames) {
        for layer in 0..<layout.layerCount where !insert(layout.idBytes(layer), \.layers, maximum) {
            excess.layers.insert(layer)
        }
    }

    /// Notes the metrics of a v1 step of which a value was posted: it has a column for every metric of v1.
    ///
    /// They are noted also above the maximum. They are twelve at most, and without them the run shows no numbers.
    mutating func noteV1Metrics(_ record: StepRecord) {
        guard !hasAllV1Metrics else { return }
        var noted = 0
        for metric in LayerMetric.all {
            let name = Self.v1Metrics.metricName(metric.column)
            let isPosted =
                metrics.index(of: name) == nil
                && (0..<record.layerCount).contains { !MissingValue.isMissing(record.value(metric, layer: $0)) }
            if isPosted { metrics.insert(name) }
            if metrics.index(of: name) != nil { noted += 1 }
        }
        hasAllV1Metrics = noted == LayerMetric.count
    }

    /// The names of v1's metrics. Each step looks them up until all are noted, so they are not converted again.
    private static let v1Metrics = ColumnLayout.v1

    private mutating func insert(
        _ name: ArraySlice<UInt8>, _ table: WritableKeyPath<RunNames, NameTable>, _ maximum: Int
    ) -> Bool {
        if self[keyPath: table].index(of: name) != nil { return true }
        guard count < maximum else { return false }
        self[keyPath: table].insert(name)
        return true
    }

    /// The names of the metrics that can be derived from those of the run. A posted metric of the same name wins.
    package var derived: [StaticString] {
        DerivedMetric.allCases.filter { metric in
            !metrics.contains(metric.name)
                && metric.isAvailable(hasCount: hasParameterCounts) { metrics.contains($0.name) }
        }
        .map(\.name)
    }
}

/// What a run could not take because it had as many names as allowed: the largest numbers of one step.
package struct IgnoredNames: Sendable, Equatable {
    /// Layers without a place among the names.
    package private(set) var layers = 0
    /// Metrics that were ignored with the numbers of all layers.
    package private(set) var metrics = 0
    /// Scalars that were ignored.
    package private(set) var scalars = 0
    /// Vectors of layers that were ignored.
    package private(set) var vectors = 0
    /// The largest number of names and ids of the run.
    package let maximum: Int

    /// Adds a step to the steps before it.
    init(_ excess: ExcessNames, maximum: Int, before: Self?) {
        self.maximum = maximum
        layers = max(excess.layers.count, before?.layers ?? 0)
        metrics = max(excess.metrics.count, before?.metrics ?? 0)
        scalars = max(excess.scalars.count, before?.scalars ?? 0)
        vectors = max(excess.vectors.count, before?.vectors ?? 0)
    }
}

/// The names of a step that a run cannot take: it has as many names as allowed.
struct ExcessNames: Sendable {
    /// Indices of layers, metrics, scalars and vectors.
    var layers: Set<Int> = []
    var metrics: Set<Int> = []
    var scalars: Set<Int> = []
    var vectors: Set<Int> = []

    var isEmpty: Bool { layers.isEmpty && metrics.isEmpty && scalars.isEmpty && vectors.isEmpty }

    /// One sentence for each of the first names.
    ///
    /// - Parameters:
    ///   - layout: the structure of the step.
    ///   - columns: the names of its numbers.
    ///   - maximum: the largest number of names and ids of the run.
    /// - Returns: at most ten sentences.
    func warnings(_ layout: LayerLayout, _ columns: ColumnLayout, maximum: Int) -> [String] {
        let names: [(StaticString, ArraySlice<UInt8>)] =
            layers.sorted().prefix(10).map { ("layer", layout.idBytes($0)) }
            + metrics.sorted().prefix(10).map { ("metric", columns.metricName($0)) }
            + scalars.sorted().prefix(10).map { ("scalar", columns.scalarName($0)) }
            + vectors.sorted().prefix(10).map { ("vector", columns.vectorName($0)) }
        return names.prefix(10).map { kind, name in
            "the \(kind) \"\(PayloadIssue.Location.text(ofKey: name))\" is ignored: the run has \(maximum) names already "
                + "(NN_MONITOR_MAX_NAMES_PER_RUN)"
        }
    }
}
