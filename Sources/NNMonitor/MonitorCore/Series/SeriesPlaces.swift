import Foundations

/// The places of some series in the numbers of steps and of summaries, by their tables.
struct SeriesPlaces {
    private let rows: [(layer: [UInt8]?, name: ByteString)]
    /// The distinct layers of the rows, and for each row the index of its layer; -1 for a scalar.
    private var layers: [ArraySlice<UInt8>: Int] = [:]
    private var layerOfRow: [Int] = []
    private var known: [SeriesTables: [Int32]] = [:]
    private var latest: (tables: SeriesTables, indices: [Int32])?

    /// - Parameter rows: the id of the layer of each series, `nil` for a scalar; and the name of the metric or scalar.
    init(_ rows: [(layer: [UInt8]?, name: ByteString)]) {
        self.rows = rows
        for row in rows {
            guard let layer = row.layer?[...] else {
                layerOfRow.append(-1)
                continue
            }
            let index = layers[layer] ?? layers.count
            layers[layer] = index
            layerOfRow.append(index)
        }
    }

    /// The places of some of the series that others are known of.
    ///
    /// - Parameters:
    ///   - known: the places of all series, for all tables that will be asked for.
    ///   - rows: which of the series.
    init(_ known: [SeriesTables: [Int32]], _ rows: Range<Int>) {
        self.rows = []
        self.known = known.mapValues { Array($0[rows]) }
    }

    /// For each series its index in numbers with these tables; -1 where they do not have it.
    mutating func indices(_ table: LayerTable, _ columns: ColumnTable) -> [Int32] {
        let tables = SeriesTables(layers: table, columns: columns)
        if let latest, latest.tables == tables { return latest.indices }
        let indices = known[tables] ?? find(table.layout, columns.layout)
        known[tables] = indices
        latest = (tables, indices)
        return indices
    }

    private func find(_ layout: LayerLayout, _ columns: ColumnLayout) -> [Int32] {
        var positions = [Int](repeating: -1, count: layers.count)
        // v1 may repeat an id: the first layer that has it counts.
        for layer in (0..<layout.layerCount).reversed() {
            if let index = layers[layout.idBytes(layer)] { positions[index] = layer }
        }
        var metrics: [ByteString: Int] = [:]
        var scalars: [ByteString: Int] = [:]
        for metric in 0..<columns.metricCount {
            metrics[ByteString(decoding: Array(columns.metricName(metric)))] = metric
        }
        for scalar in 0..<columns.scalarCount {
            scalars[ByteString(decoding: Array(columns.scalarName(scalar)))] = scalar
        }
        let firstScalar = columns.metricCount * layout.layerCount
        return zip(rows, layerOfRow).map { row, layer in
            guard layer >= 0 else { return scalars[row.name].map { Int32(firstScalar + $0) } ?? -1 }
            guard positions[layer] >= 0, let column = metrics[row.name] else { return -1 }
            return Int32(column * layout.layerCount + positions[layer])
        }
    }
}

/// The layers and series that the tables of several steps have.
struct SeriesNames {
    private let request: SeriesRequest
    /// All tables.
    private(set) var seen: Set<SeriesTables> = []
    private var latest: SeriesTables?
    /// For each layer, whether it has each of the metrics of the request.
    private var metrics: [ArraySlice<UInt8>: [Bool]] = [:]
    private var scalars: Set<ByteString> = []

    init(_ request: SeriesRequest) { self.request = request }

    /// Notes the tables of a step.
    mutating func note(_ table: LayerTable, _ columns: ColumnTable) {
        let tables = SeriesTables(layers: table, columns: columns)
        if tables == latest { return }
        latest = tables
        guard seen.insert(tables).inserted else { return }
        let (layout, names) = (table.layout, columns.layout)
        for scalar in 0..<names.scalarCount { scalars.insert(ByteString(decoding: Array(names.scalarName(scalar)))) }
        let posted = Set((0..<names.metricCount).map { ByteString(decoding: Array(names.metricName($0))) })
        let has = request.metrics.map { posted.contains($0) }
        guard has.contains(true) else { return }
        for layer in (0..<layout.layerCount).reversed() {
            let id = layout.idBytes(layer)
            guard request.includes(id) else { continue }
            metrics[id] = metrics[id].map { zip($0, has).map { $0 || $1 } } ?? has
        }
    }

    /// The layers that have at least one of the metrics: by depth, then first seen.
    func layers(_ names: RunNames, _ structure: RunStructure) -> [SeriesLayer] {
        let attributes = structure.depthsAndParameterCounts(names)
        return metrics.keys.compactMap { id in
            names.layers.index(of: id).map { index in
                let (depth, parameterCount) = attributes[index]
                return (SeriesLayer(id: Array(id), depth: depth, parameterCount: parameterCount), index)
            }
        }.sorted { ($0.0.depth, $0.1) < ($1.0.depth, $1.1) }.map(\.0)
    }

    /// Whether a layer has a metric of the request.
    func has(metric: Int, layer: [UInt8]) -> Bool { metrics[layer[...]]?[metric] ?? false }

    /// Whether a scalar was posted.
    func has(scalar: ByteString) -> Bool { scalars.contains(scalar) }
}
