/// A run's entry in the listing.
package struct RunSummary: Sendable, Equatable {
    /// The run's id, as it was posted.
    package let id: RunID
    /// When the run began; never changes.
    package let createdAt: UTCTime
    /// When the run was changed last: by a step, an update or an alert.
    package let lastUpdate: UTCTime
    /// The number of steps held.
    package let stepCount: Int
    /// The highest step held; `nil` if none is.
    package let latestStep: Int64?
    /// The `seq` of the last accepted step; 0 if there was none.
    package let lastSeq: UInt64

    /// - Parameters:
    ///   - id: the run's id, as it was posted.
    ///   - createdAt: when the run began.
    ///   - lastUpdate: when the run was changed last.
    ///   - stepCount: the number of steps held.
    ///   - latestStep: the highest step held; `nil` if none is.
    ///   - lastSeq: the `seq` of the last accepted step; 0 if there was none.
    package init(
        id: RunID, createdAt: UTCTime, lastUpdate: UTCTime, stepCount: Int, latestStep: Int64?, lastSeq: UInt64
    ) {
        self.id = id
        self.createdAt = createdAt
        self.lastUpdate = lastUpdate
        self.stepCount = stepCount
        self.latestStep = latestStep
        self.lastSeq = lastSeq
    }
}

/// A run as it was at one sequence number.
package struct RunSnapshot: Sendable {
    /// The run's id, as it was posted.
    package let id: RunID
    /// When the run's first step arrived; never changes.
    package let createdAt: UTCTime
    /// When the run's last accepted step arrived.
    package let lastUpdate: UTCTime
    /// Every step accepted up to this sequence number is in the snapshot, unless it was replaced or dropped; none after
    /// it is.
    package let sequence: UInt64
    /// The number of the run's last accepted step.
    package let lastSeq: UInt64
    /// The steps held at that number.
    package let steps: any HistorySource
    /// The bytes that the snapshot uses beside its steps.
    package let memory: Int
    /// The bytes of the run's steps that the store has removed and snapshots, this one among them, keep alive; `nil` if
    /// the source keeps no steps in memory.
    package let retained: (@Sendable () -> Int)?

    /// - Parameters:
    ///   - id: the run's id, as it was posted.
    ///   - createdAt: when the run's first step arrived.
    ///   - lastUpdate: when the run's last accepted step arrived.
    ///   - sequence: the sequence number of the last change that the snapshot reflects.
    ///   - lastSeq: the number of the run's last accepted step.
    ///   - steps: the steps held at that number.
    ///   - memory: the bytes that the snapshot uses beside its steps.
    ///   - retained: the bytes of the run's steps that only snapshots keep alive.
    package init(
        id: RunID, createdAt: UTCTime, lastUpdate: UTCTime, sequence: UInt64, lastSeq: UInt64,
        steps: any HistorySource, memory: Int = 0, retained: (@Sendable () -> Int)? = nil
    ) {
        self.id = id
        self.createdAt = createdAt
        self.lastUpdate = lastUpdate
        self.sequence = sequence
        self.lastSeq = lastSeq
        self.steps = steps
        self.memory = memory
        self.retained = retained
    }
}

/// A run in the memory store.
struct Run {
    let createdAt: UTCTime
    var lastUpdate: UTCTime
    private(set) var steps = StepSequence()
    /// Everything but the steps. `change` changes it.
    private(set) var details: RunDetails
    /// The size of the steps held, of the tables they share and of the details, in bytes.
    private(set) var memory = 0
    /// The part of `memory` that is `details.heapBytes`.
    private var detailsMemory = 0
    /// The part of `memory` that the steps held and their tables take.
    var stepMemory: Int { memory - detailsMemory }
    /// Counts the steps and tables of this run that exist, held or not; `nil` in tests of a run alone.
    let ledger: RunLedger?
    /// The tables of the latest step, which the next one probably shares.
    private var table: LayerTable?
    private var shapes: ShapeTable?
    private var columns: ColumnTable?
    /// The number of the last accepted step: 1, 2, 3, …
    private(set) var lastSeq: UInt64 = 0
    /// The number of users of each table: steps held, and the run's structure. Steps arrive in any order, so steps that
    /// share a table need not be neighbours.
    private var uses: [ObjectIdentifier: Int] = [:]

    init(createdAt: UTCTime, ledger: RunLedger? = nil) {
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
        let hasKnownNames = (tables.layers === table || tables.layers === LayerTable.none) && tables.columns === columns
        takeLatest(tables)
        if hasKnownNames { return (admitted, []) }
        let (layout, names) = (tables.layers.layout, tables.columns.layout)
        let excess = change { $0.names.note(layout, names, maximum: maximumNames) }
        if excess.isEmpty || names.isV1 { return (admitted, []) }
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
        columns = tables.columns
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
        let known = step.known
        let layout = known.layers?.layout ?? step.layout
        let isWithoutLayers = layout.layerCount == 0
        let layers =
            isWithoutLayers
            ? LayerTable.none
            : known.layers.flatMap { isOwn($0, self.table) ? $0 : nil }
                ?? self.table.flatMap { $0.layout == layout ? $0 : nil }
        let dimensions = known.shapes?.shapes ?? step.shapes
        let shapes =
            isWithoutLayers
            ? ShapeTable.none
            : known.shapes.flatMap { isOwn($0, self.shapes) ? step.knownShapes(ledger: ledger) : nil }
                ?? self.shapes.flatMap { $0.shapes == dimensions ? $0 : nil }
        let names = known.columns?.layout ?? step.columns
        let columns =
            known.columns.flatMap { isOwn($0, self.columns) ? $0 : nil }
            ?? self.columns.flatMap { $0.layout == names ? $0 : nil }
        return (
            layers ?? LayerTable(layout, ledger: ledger), shapes ?? ShapeTable(dimensions, ledger: ledger),
            columns ?? ColumnTable(names, ledger: ledger)
        )
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
        tables.columns = columns
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
        if steps.count >= limit, let first = steps.first, record.step < first.step {
            dropUnusedTables()
            details.highestDroppedSeq = record.seq
            return Placement(isKept: false)
        }
        count(record)
        if let replaced = steps.insert(record) { discount(replaced) }
        var placement = Placement(isKept: true)
        while steps.count > limit, let removed = removeLowest() {
            placement.dropped += 1
            placement.lastDropped = removed.step
        }
        return placement
    }

    /// Drops and returns the lowest step.
    @discardableResult
    mutating func removeLowest() -> StepRecord? {
        guard let removed = steps.removeFirst() else { return nil }
        discount(removed)
        details.highestDroppedSeq = max(details.highestDroppedSeq, removed.seq)
        return removed
    }

    /// Drops the steps from a number on: the training goes back to it.
    ///
    /// - Returns: the number of dropped steps.
    mutating func goBack(to step: Int64) -> Int {
        let removed = steps.removeAll(from: step)
        for record in removed { discount(record) }
        details.seamSeq = lastSeq
        return removed.count
    }

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
            if columns === record.columns { columns = nil }
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
        if let columns, uses[ObjectIdentifier(columns)] == nil { self.columns = nil }
    }

    /// Adds `change` to the number of users of a table, and returns the new number.
    private mutating func use(_ table: AnyObject, _ change: Int) -> Int {
        let id = ObjectIdentifier(table)
        let count = uses[id, default: 0] + change
        uses[id] = count == 0 ? nil : count
        return count
    }
}
