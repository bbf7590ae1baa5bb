import Foundations

/// The places of some series in the numbers of steps and of summaries, by their tables.
struct SeriesPlaces {
    private let rows: [(layer: [UInt8]?, name: ByteString)]
    /// The distinct layers of the rows, and for each row the index of its layer; -1 for a scalar.
    private var layers: [ArraySlice<UInt8>: Int] = [:]
    private var layerOfRow: [Int] = []

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

    /// For each series its index in numbers with these tables; -1 where they do not have it.
    func indices(_ tables: SeriesTables) -> [Int32] {
        let (layout, columns) = (tables.layers.layout, tables.columns.layout)
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
    /// For each layer, whether it has each of the metrics of the request.
    private var metrics: [ArraySlice<UInt8>: [Bool]] = [:]
    private var scalars: Set<ByteString> = []

    init(_ request: SeriesRequest) { self.request = request }

    /// Notes distinct tables.
    mutating func note(_ tables: SeriesTables) {
        let (layout, names) = (tables.layers.layout, tables.columns.layout)
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
