import Foundations

/// The places of some series in the numbers of steps and of summaries, by their tables.
struct SeriesPlaces {
    private let rows: [(layer: [UInt8]?, name: ByteString)]
    /// The distinct layers of the rows, and for each row the index of its layer; -1 for a scalar.
    private var layers: [ArraySlice<UInt8>: Int] = [:]
    private var layerOfRow: [Int] = []
    private var known: [Tables: [Int32]] = [:]
    private var latest: (tables: Tables, indices: [Int32])?

    private struct Tables: Hashable {
        let layers: ObjectIdentifier
        let columns: ObjectIdentifier
    }

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
    mutating func indices(_ table: LayerTable, _ columns: ColumnTable) -> [Int32] {
        let tables = Tables(layers: ObjectIdentifier(table), columns: ObjectIdentifier(columns))
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
    private var seen: Set<[ObjectIdentifier]> = []
    private var depths: [ArraySlice<UInt8>: Int64] = [:]
    private var parameterCounts: [ArraySlice<UInt8>: Int64] = [:]
    /// For each layer, whether it has each of the metrics of the request.
    private var metrics: [ArraySlice<UInt8>: [Bool]] = [:]
    private var scalars: Set<ByteString> = []

    init(_ request: SeriesRequest) { self.request = request }

    /// Notes the tables of a step. Those of the highest step come last.
    mutating func note(_ table: LayerTable, _ columns: ColumnTable) {
        guard seen.insert([ObjectIdentifier(table), ObjectIdentifier(columns)]).inserted else { return }
        let (layout, names) = (table.layout, columns.layout)
        for scalar in 0..<names.scalarCount { scalars.insert(ByteString(decoding: Array(names.scalarName(scalar)))) }
        let posted = Set((0..<names.metricCount).map { ByteString(decoding: Array(names.metricName($0))) })
        let has = request.metrics.map { posted.contains($0) }
        guard has.contains(true) else { return }
        for layer in (0..<layout.layerCount).reversed() {
            let id = layout.idBytes(layer)
            guard request.includes(id) else { continue }
            depths[id] = layout.depth(layer) ?? Int64(layer)
            if let count = layout.parameterCount(layer) { parameterCounts[id] = count }
            metrics[id] = metrics[id].map { zip($0, has).map { $0 || $1 } } ?? has
        }
    }

    /// The layers that have at least one of the metrics: by depth, then first seen.
    func layers(order: NameTable) -> [SeriesLayer] {
        metrics.keys.map { id in
            let layer = SeriesLayer(id: Array(id), depth: depths[id] ?? 0, parameterCount: parameterCounts[id])
            return (layer: layer, place: order.index(of: id) ?? .max)
        }.sorted { left, right in
            (left.layer.depth, left.place) == (right.layer.depth, right.place)
                ? left.layer.id.lexicographicallyPrecedes(right.layer.id)
                : (left.layer.depth, left.place) < (right.layer.depth, right.place)
        }.map(\.layer)
    }

    /// Whether a layer has a metric of the request.
    func has(metric: Int, layer: [UInt8]) -> Bool { metrics[layer[...]]?[metric] ?? false }

    /// Whether a scalar was posted.
    func has(scalar: ByteString) -> Bool { scalars.contains(scalar) }
}
