import Foundations

/// The tables that name the series of a step or of a summary.
struct SeriesTables: Hashable {
    let layers: LayerTable
    let columns: ColumnTable

    static func == (left: SeriesTables, right: SeriesTables) -> Bool {
        left.layers === right.layers && left.columns === right.columns
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(layers))
        hasher.combine(ObjectIdentifier(columns))
    }

    /// The number of series.
    var count: Int { columns.layout.metricCount * layers.layout.layerCount + columns.layout.scalarCount }

    /// The place of each series of these tables in others, which have all of them.
    ///
    /// A layer id that v1 repeats keeps its position among the layers of that id.
    func places(in other: SeriesTables) -> [Int32] {
        let layerPlaces =
            layers === other.layers
            ? Array(0..<layers.layout.layerCount) : NamePlaces(other.layerNames).places(of: layerNames)
        let metricPlaces = NamePlaces(other.metricNames).places(of: metricNames)
        let scalarPlaces = NamePlaces(other.scalarNames).places(of: scalarNames)
        var places: [Int32] = []
        places.reserveCapacity(count)
        let layerCount = other.layers.layout.layerCount
        for metric in metricPlaces { for layer in layerPlaces { places.append(Int32(metric * layerCount + layer)) } }
        let firstScalar = metricNamesCount(other) * layerCount
        for scalar in scalarPlaces { places.append(Int32(firstScalar + scalar)) }
        return places
    }

    private func metricNamesCount(_ tables: SeriesTables) -> Int { tables.columns.layout.metricCount }

    private var layerNames: [ArraySlice<UInt8>] { (0..<layers.layout.layerCount).map { layers.layout.idBytes($0) } }
    private var metricNames: [ArraySlice<UInt8>] {
        (0..<columns.layout.metricCount).map { columns.layout.metricName($0) }
    }
    private var scalarNames: [ArraySlice<UInt8>] {
        (0..<columns.layout.scalarCount).map { columns.layout.scalarName($0) }
    }

    /// Tables that have every series of both: one of the two if it has them, else new ones.
    ///
    /// - Parameters:
    ///   - other: the other tables.
    ///   - ledger: counts new tables; `nil`: they are not counted.
    /// - Returns: the tables.
    func union(_ other: SeriesTables, ledger: RunLedger?) -> SeriesTables {
        SeriesTables(
            layers: union(layers, other.layers, layerNames, other.layerNames) { LayerTable($0, ledger: ledger) },
            columns: union(of: other, ledger: ledger))
    }

    private func union(
        _ first: LayerTable, _ second: LayerTable, _ firstNames: [ArraySlice<UInt8>],
        _ secondNames: [ArraySlice<UInt8>],
        _ make: (LayerLayout) -> LayerTable
    ) -> LayerTable {
        if first === second { return first }
        let missing = NamePlaces(firstNames).missing(of: secondNames)
        if missing.isEmpty { return first }
        if NamePlaces(secondNames).missing(of: firstNames).isEmpty { return second }
        var layout = LayerLayout()
        for layer in firstNames.indices { layout.append(first.layout, layer) }
        for layer in missing { layout.append(second.layout, layer) }
        return make(layout)
    }

    private func union(of other: SeriesTables, ledger: RunLedger?) -> ColumnTable {
        if columns === other.columns { return columns }
        let metrics = NamePlaces(metricNames).missing(of: other.metricNames)
        let scalars = NamePlaces(scalarNames).missing(of: other.scalarNames)
        if metrics.isEmpty && scalars.isEmpty { return columns }
        if NamePlaces(other.metricNames).missing(of: metricNames).isEmpty,
            NamePlaces(other.scalarNames).missing(of: scalarNames).isEmpty
        {
            return other.columns
        }
        var layout = ColumnLayout()
        for name in metricNames + metrics.map({ other.metricNames[$0] }) { layout.append(metric: name) }
        for name in scalarNames + scalars.map({ other.scalarNames[$0] }) { layout.append(scalar: name) }
        return ColumnTable(layout, ledger: ledger)
    }
}

/// The positions of names in a list, which may contain a name several times.
private struct NamePlaces {
    private var positions: [ArraySlice<UInt8>: [Int]] = [:]

    init(_ names: [ArraySlice<UInt8>]) {
        for (position, name) in names.enumerated() { positions[name, default: []].append(position) }
    }

    /// The position of each of other names: of the n-th occurrence that of the n-th here.
    func places(of names: [ArraySlice<UInt8>]) -> [Int] {
        var used: [ArraySlice<UInt8>: Int] = [:]
        return names.map { name in
            let occurrence = used[name, default: 0]
            used[name] = occurrence + 1
            guard let found = positions[name], occurrence < found.count else {
                preconditionFailure("the tables of a summary have every series of its steps")
            }
            return found[occurrence]
        }
    }

    /// The indices of those other names that are not here.
    func missing(of names: [ArraySlice<UInt8>]) -> [Int] {
        var used: [ArraySlice<UInt8>: Int] = [:]
        return names.indices.filter { index in
            let occurrence = used[names[index], default: 0]
            used[names[index]] = occurrence + 1
            return occurrence >= positions[names[index]]?.count ?? 0
        }
    }
}

extension SeriesTables {
    /// The tables of a step.
    init(_ record: StepRecord) { self.init(layers: record.table, columns: record.columns) }

    /// The tables of a summary.
    init(_ numbers: SeriesNumbers) { self.init(layers: numbers.table, columns: numbers.columns) }
}

extension LayerLayout {
    /// Adds a layer of another layout: its id, its depth and the number of its parameters.
    fileprivate mutating func append(_ other: LayerLayout, _ layer: Int) {
        let start = Int32(text.count)
        text += other.idBytes(layer)
        nameBounds += [start, Int32(text.count), -1, -1]
        depths.append(other.depths[layer])
        if let count = other.parameterCount(layer), parameterCounts.isEmpty {
            parameterCounts = [Int64](repeating: -1, count: depths.count - 1) + [count]
        } else if !parameterCounts.isEmpty {
            parameterCounts.append(other.parameterCount(layer) ?? -1)
        }
    }
}

extension ColumnLayout {
    fileprivate mutating func append(metric name: ArraySlice<UInt8>) {
        metricBounds.append(Int32(text.count))
        text += name
        metricBounds.append(Int32(text.count))
    }

    fileprivate mutating func append(scalar name: ArraySlice<UInt8>) {
        scalarBounds.append(Int32(text.count))
        text += name
        scalarBounds.append(Int32(text.count))
    }
}
