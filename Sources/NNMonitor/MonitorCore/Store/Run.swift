/// A run in the memory store.
struct Run {
    let createdAt: UTCTime
    var lastUpdate: UTCTime
    private(set) var steps = StepSequence()
    /// Everything but the steps. `change` changes it.
    private(set) var details: RunDetails
    /// The size of the steps held, of the tables they share and of the details, in bytes.
    var memory = 0
    /// The part of `memory` that is `details.heapBytes`.
    private var detailsMemory = 0
    /// Judges the steps. `observe` changes it.
    var health: RunHealth
    /// Summaries of the steps.
    private(set) var series = RunSeries()
    /// The parts of `memory` that are `series.numbersMemory` and `series.overhead`.
    private var seriesMemory = (numbers: 0, overhead: 0)
    /// The part of `memory` that the ledger counts: the steps held, their tables and their summaries.
    var stepMemory: Int { memory - detailsMemory - health.countedMemory - seriesMemory.overhead }
    /// Counts the steps and tables of this run that exist, held or not; `nil` in tests of a run alone.
    let ledger: RunLedger?
    /// The tables of the latest step, which the next one probably shares.
    private var table: LayerTable?
    private var shapes: ShapeTable?
    /// The names of the latest steps, the last first. A run may post metrics of layers with each tenth step only.
    private var recentColumns: [ColumnTable] = []
    private static let maximumRecentColumns = 4
    /// The number of the last accepted step: 1, 2, 3, …
    private(set) var lastSeq: UInt64 = 0
    /// The last step of which subscribers in the form `runs` know.
    var shownSeq: UInt64 = 0
    /// The number of users of each table: steps held, and the run's structure. Steps arrive in any order, so steps that
    /// share a table need not be neighbours.
    private var uses: [ObjectIdentifier: Int] = [:]

    init(createdAt: UTCTime, ledger: RunLedger? = nil, observer: any RunObserver = NoRules()) {
        health = RunHealth(observer)
        self.createdAt = createdAt
        self.ledger = ledger
        lastUpdate = createdAt
        details = RunDetails(createdAt: createdAt)
    }

    // MARK: Steps

    /// Notes the names of a step, and removes those that the run cannot take. Steps of v1 are kept whole.
    ///
    /// - Parameters:
    ///   - decoded: the step.
    ///   - maximumNames: the largest number of names and layer ids of the run.
    /// - Returns: the step with its tables, and one sentence for each of the first names that were removed.
    mutating func admit(_ decoded: DecodedStep, maximumNames: Int) -> (step: DecodedStep, warnings: [String]) {
        let tables = tables(of: decoded)
        var admitted = decoded
        admitted.known = KnownTables(layers: tables.layers, shapes: tables.shapes, columns: tables.columns)
        admitted.layersText = []
        let hasKnownNames =
            (tables.layers === table || tables.layers === LayerTable.none)
            && recentColumns.contains { $0 === tables.columns }
        if hasKnownNames {
            takeLatest(tables)
            return (admitted, [])
        }
        let (layout, names) = (tables.layers.layout, tables.columns.layout)
        let excess = change { $0.names.note(layout, names, maximum: maximumNames) }
        // Tables with excess names are not remembered: each step that has them is checked.
        if excess.isEmpty || names.isV1 {
            takeLatest(tables)
            return (admitted, [])
        }
        return (
            admitted.removing(excess, layout, tables.shapes.shapes, names),
            excess.warnings(layout, names, maximum: maximumNames)
        )
    }

    /// The tables of one step.
    private typealias Tables = (layers: LayerTable, shapes: ShapeTable, columns: ColumnTable)

    /// Makes the tables of a step the latest ones. Steps without layers may come between steps that share theirs.
    private mutating func takeLatest(_ tables: Tables) {
        if tables.layers.layout.layerCount > 0 {
            table = tables.layers
            shapes = tables.shapes
        }
        guard recentColumns.first !== tables.columns else { return }
        recentColumns.removeAll { $0 === tables.columns }
        recentColumns.insert(tables.columns, at: 0)
        if recentColumns.count > Self.maximumRecentColumns { recentColumns.removeLast() }
    }

    /// Makes the record of a step, which shares the tables of the latest step if they are equal.
    mutating func record(_ decoded: DecodedStep) -> StepRecord {
        lastSeq += 1
        let tables = tables(of: decoded)
        takeLatest(tables)
        return StepRecord(
            decoded, seq: lastSeq, table: tables.layers, shapes: tables.shapes, columns: tables.columns, ledger: ledger)
    }

    /// The tables of a step: those of the latest step if they are equal, other known ones of this run, or new ones.
    private func tables(of step: DecodedStep) -> Tables {
        let layers = layers(of: step)
        return (layers, layers === LayerTable.none ? ShapeTable.none : shapes(of: step), columns(of: step))
    }

    private func layers(of step: DecodedStep) -> LayerTable {
        if let known = step.known.layers, known === LayerTable.none || isOwn(known, table) { return known }
        let layout = step.known.layers?.layout ?? step.layout
        if layout.layerCount == 0 { return LayerTable.none }
        if let table, table.layout == layout { return table }
        return LayerTable(layout, ledger: ledger)
    }

    private func shapes(of step: DecodedStep) -> ShapeTable {
        if let known = step.known.shapes, isOwn(known, shapes) {
            return step.layersText.isEmpty ? known : step.knownShapes(ledger: ledger) ?? known
        }
        let dimensions = step.known.shapes?.shapes ?? step.shapes
        if let shapes, shapes.shapes == dimensions { return shapes }
        return ShapeTable(dimensions, ledger: ledger)
    }

    private func columns(of step: DecodedStep) -> ColumnTable {
        if let known = step.known.columns, isOwn(known, recentColumns.first) { return known }
        let names = step.known.columns?.layout ?? step.columns
        return recentColumns.first { $0.layout == names } ?? ColumnTable(names, ledger: ledger)
    }

    /// Whether a table belongs to this run: the run of that id may have been deleted after the step was decoded.
    private func isOwn(_ table: AnyObject, _ latest: AnyObject?) -> Bool {
        table === latest || uses[ObjectIdentifier(table)] != nil
    }

    /// The tables that the next step probably has.
    var latestTables: KnownTables {
        var tables = KnownTables()
        tables.layers = table
        tables.shapes = shapes
        tables.columns = recentColumns.first
        return tables
    }

    /// The result of `keep`.
    struct Placement: Equatable {
        /// Whether the step is held now.
        var isKept: Bool
        /// The number of lower steps that were dropped for it.
        var dropped = 0
        /// The highest of those.
        var lastDropped: Int64 = 0
    }

    /// Inserts a step, unless the run is full and all its steps are higher.
    mutating func keep(_ record: StepRecord, limit: Int) -> Placement {
        if isBelowKeptSteps(record.step, limit: limit) {
            dropUnusedTables()
            details.highestDroppedSeq = record.seq
            changeSeries { $0.archive(record, $1, ledger: $2) }
            return Placement(isKept: false)
        }
        count(record)
        if let replaced = steps.insert(record) { discount(replaced) }
        changeSeries { $0.add(record, $1, ledger: $2) }
        var placement = Placement(isKept: true)
        while steps.count > limit, let removed = removeLowest() {
            placement.dropped += 1
            placement.lastDropped = removed.step
        }
        return placement
    }

    /// Whether a step cannot be kept. Kept steps are higher than all of which only buckets are left.
    private func isBelowKeptSteps(_ step: Int64, limit: Int) -> Bool {
        if steps.count >= limit, let first = steps.first, step < first.step { return true }
        guard let archived = series.archivedThrough else { return false }
        return step <= archived
    }

    /// Drops and returns the lowest step.
    @discardableResult
    mutating func removeLowest() -> StepRecord? {
        guard let removed = steps.removeFirst() else { return nil }
        discount(removed)
        changeSeries { $0.archive(removed, $1, ledger: $2) }
        details.highestDroppedSeq = max(details.highestDroppedSeq, removed.seq)
        return removed
    }

    /// Drops the steps from a number on: the training goes back to it.
    ///
    /// - Returns: the number of dropped steps.
    mutating func goBack(to step: Int64) -> Int {
        let removed = steps.removeAll(from: step)
        for record in removed { discount(record) }
        changeSeries { $0.removeAll(from: step, $1, ledger: $2) }
        details.seamSeq = lastSeq
        return removed.count
    }

    // MARK: Summaries

    /// Changes the summaries and counts their memory.
    private mutating func changeSeries(_ body: (inout RunSeries, StepSequence, RunLedger?) -> Void) {
        body(&series, steps, ledger)
        let now = (numbers: series.numbersMemory, overhead: series.overhead)
        memory += now.numbers - seriesMemory.numbers + now.overhead - seriesMemory.overhead
        seriesMemory = now
    }

    /// Frees memory of the buckets of steps that are not kept: merges two of them, or drops the only one.
    mutating func shrinkArchive() { changeSeries { series, _, ledger in series.shrinkArchive(ledger: ledger) } }

    // MARK: Details

    /// Changes the details and counts their memory.
    mutating func change<Result>(_ body: (inout RunDetails) -> Result) -> Result {
        defer {
            let now = details.heapBytes
            memory += now - detailsMemory
            detailsMemory = now
        }
        return body(&details)
    }

    /// Makes the layers of an accepted step those of the run.
    mutating func takeStructure(of record: StepRecord) {
        let (oldTable, oldShapes) = (details.structure.table, details.structure.shapes)
        guard record.layerCount > 0, oldTable !== record.table || oldShapes !== record.shapes else { return }
        hold(record.table)
        hold(record.shapes)
        change { $0.structure.replace(with: record.table, record.shapes, $0.names) }
        if let oldTable { release(oldTable) }
        if let oldShapes { release(oldShapes) }
    }

    // MARK: Memory

    private mutating func count(_ record: StepRecord) {
        memory += record.memory
        hold(record.table)
        hold(record.shapes)
        if use(record.columns, 1) == 1 { memory += record.columns.memory }
    }

    private mutating func discount(_ record: StepRecord) {
        memory -= record.memory
        release(record.table)
        release(record.shapes)
        if use(record.columns, -1) == 0 {
            memory -= record.columns.memory
            recentColumns.removeAll { $0 === record.columns }
        }
    }

    private mutating func hold(_ table: LayerTable) {
        if use(table, 1) == 1 { memory += table.memory }
    }

    private mutating func hold(_ shapes: ShapeTable) {
        if use(shapes, 1) == 1 { memory += shapes.memory }
    }

    /// Ends a use of a table. One without users is not counted, so it must not be kept alive as the latest one either.
    private mutating func release(_ table: LayerTable) {
        guard use(table, -1) == 0 else { return }
        memory -= table.memory
        if self.table === table { self.table = nil }
    }

    private mutating func release(_ shapes: ShapeTable) {
        guard use(shapes, -1) == 0 else { return }
        memory -= shapes.memory
        if self.shapes === shapes { self.shapes = nil }
    }

    /// Drops the latest tables that have no users.
    private mutating func dropUnusedTables() {
        if let table, uses[ObjectIdentifier(table)] == nil { self.table = nil }
        if let shapes, uses[ObjectIdentifier(shapes)] == nil { self.shapes = nil }
        recentColumns.removeAll { uses[ObjectIdentifier($0)] == nil }
    }

    /// Adds `change` to the number of users of a table, and returns the new number.
    private mutating func use(_ table: AnyObject, _ change: Int) -> Int {
        let id = ObjectIdentifier(table)
        let count = uses[id, default: 0] + change
        uses[id] = count == 0 ? nil : count
        return count
    }
}
