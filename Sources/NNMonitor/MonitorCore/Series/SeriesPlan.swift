import Foundations

/// The buckets and the series that a request touches. It refers to what is read and copies no numbers.
package struct SeriesPlan: Sendable {
    /// The layers that have at least one of the metrics: by depth, then first seen.
    package let layers: [SeriesLayer]
    /// The series that exist: layer by layer the metrics in the order of the request, then the scalars.
    package let rows: [SeriesRow]
    private let selection: SeriesSelection
    /// The places of all rows in each of the selection's tables, if these are few; otherwise empty. Finding them takes
    /// longer than reading a block.
    private let places: [[Int32]]
    /// The largest number of tables whose places are remembered.
    private static let maximumTables = 4

    /// Selects what to read.
    ///
    /// - Throws: `StoreError` if the steps cannot be read.
    package init(_ snapshot: RunSnapshot, _ request: SeriesRequest) async throws(StoreError) {
        var request = request
        // A v1 step has a column for each of v1's metrics, also for those of which no value was ever posted.
        request.metrics.removeAll { snapshot.names.metrics.index(of: Array($0.text.utf8)[...]) == nil }
        selection = try await SeriesSelection(snapshot, request)
        var names = SeriesNames(request)
        for tables in selection.tables { names.note(tables) }
        layers = names.layers(snapshot.names, snapshot.structure)
        var rows: [SeriesRow] = []
        for layer in layers.indices {
            for metric in request.metrics.indices where names.has(metric: metric, layer: layers[layer].id) {
                rows.append(SeriesRow(layer: layer, name: request.metrics[metric]))
            }
        }
        for scalar in request.scalars where names.has(scalar: scalar) {
            rows.append(SeriesRow(layer: nil, name: scalar))
        }
        self.rows = rows
        if selection.tables.count <= Self.maximumTables {
            let finder = Self.finder(rows[...], layers)
            places = selection.tables.map { finder.indices($0) }
        } else {
            places = []
        }
    }

    private static func finder(_ rows: ArraySlice<SeriesRow>, _ layers: [SeriesLayer]) -> SeriesPlaces {
        SeriesPlaces(rows.map { row in (row.layer.map { layers[$0].id }, row.name) })
    }

    /// The first step of each bucket, ascending.
    package var steps: [Int64] { selection.steps }
    /// The last step of each bucket.
    package var lastSteps: [Int64] { selection.lastSteps }
    /// Bytes of what the plan itself holds.
    var memory: Int {
        let texts = layers.reduce(layers.heapBytes) { $0 + $1.id.heapBytes }
        return selection.memory + texts + rows.heapBytes + places.reduce(places.heapBytes) { $0 + $1.heapBytes }
    }

    /// The number of buckets.
    package var bucketCount: Int { selection.steps.count }
    /// The number of step numbers that share a stored bucket at the coarsest place of the range; 1 where all steps are
    /// kept in full.
    package var resolution: Int64 { selection.resolution }

    /// The buckets of some rows.
    ///
    /// - Parameters:
    ///   - rows: which rows.
    ///   - parts: which parts beside the last value.
    /// - Returns: the buckets.
    package func block(_ rows: Range<Int>, _ parts: SeriesParts = .all) -> SeriesBlock {
        var block = SeriesBlock(rows: rows, bucketCount: bucketCount, parts: parts)
        var places = RowPlaces(self, rows)
        var start = 0
        for (bucket, end) in selection.sourceEnds.enumerated() {
            if block.hasOnlyLast {
                fillLast(&block, bucket, start..<end, &places)
            } else {
                for source in start..<end {
                    let indices = places.indices(selection.sourceTables[source])
                    switch selection.sources[source] {
                    case .step(let record): block.fold(record, indices, bucket)
                    case .numbers(let numbers): block.fold(numbers, indices, bucket)
                    }
                }
            }
            start = end
        }
        return block
    }

    /// Finds the last values of a bucket, from its highest source on until each row has one. Usually the highest source
    /// has all of them.
    private func fillLast(
        _ block: inout SeriesBlock, _ bucket: Int, _ sources: Range<Int>, _ places: inout RowPlaces
    ) {
        var left = block.rows.count
        for source in sources.reversed() where left > 0 {
            let indices = places.indices(selection.sourceTables[source])
            switch selection.sources[source] {
            case .step(let record): left -= block.fillLast(record.numbers, indices, bucket)
            case .numbers(let numbers): left -= block.fillLast(numbers.last, indices, bucket)
            }
        }
    }

    /// The places of some rows in the tables, found when they are first needed.
    private struct RowPlaces {
        private let tables: [SeriesTables]
        private let finder: SeriesPlaces
        private var known: [[Int32]?]

        init(_ plan: SeriesPlan, _ rows: Range<Int>) {
            tables = plan.selection.tables
            let isKnown = !plan.places.isEmpty
            finder = SeriesPlan.finder(isKnown ? [] : plan.rows[rows], plan.layers)
            known = isKnown ? plan.places.map { Array($0[rows]) } : Array(repeating: nil, count: tables.count)
        }

        mutating func indices(_ table: Int32) -> [Int32] {
            if let indices = known[Int(table)] { return indices }
            let indices = finder.indices(tables[Int(table)])
            known[Int(table)] = indices
            return indices
        }
    }
}
