/// A run's entry in the listing.
package struct RunSummary: Sendable, Equatable {
    /// The run's id, as it was posted.
    package let id: RunID
    /// When the run's first step arrived; never changes.
    package let createdAt: UTCTime
    /// When the run's last accepted step arrived.
    package let lastUpdate: UTCTime
    /// The number of steps held.
    package let stepCount: Int
    /// The highest step held.
    package let latestStep: Int64

    /// - Parameters:
    ///   - id: the run's id, as it was posted.
    ///   - createdAt: when the run's first step arrived.
    ///   - lastUpdate: when the run's last accepted step arrived.
    ///   - stepCount: the number of steps held.
    ///   - latestStep: the highest step held.
    package init(id: RunID, createdAt: UTCTime, lastUpdate: UTCTime, stepCount: Int, latestStep: Int64) {
        self.id = id
        self.createdAt = createdAt
        self.lastUpdate = lastUpdate
        self.stepCount = stepCount
        self.latestStep = latestStep
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

    /// - Parameters:
    ///   - id: the run's id, as it was posted.
    ///   - createdAt: when the run's first step arrived.
    ///   - lastUpdate: when the run's last accepted step arrived.
    ///   - sequence: the sequence number of the last change that the snapshot reflects.
    ///   - lastSeq: the number of the run's last accepted step.
    ///   - steps: the steps held at that number.
    package init(
        id: RunID, createdAt: UTCTime, lastUpdate: UTCTime, sequence: UInt64, lastSeq: UInt64, steps: any HistorySource
    ) {
        self.id = id
        self.createdAt = createdAt
        self.lastUpdate = lastUpdate
        self.sequence = sequence
        self.lastSeq = lastSeq
        self.steps = steps
    }
}

/// A run in the memory store.
struct Run {
    let createdAt: UTCTime
    var lastUpdate: UTCTime
    var steps = StepSequence()
    /// The size of the steps held and of the tables they share, in bytes.
    private(set) var memory = 0
    /// The tables of the latest step, which the next one probably shares.
    private var table: LayerTable?
    private var shapes: ShapeTable?
    private var columns: ColumnTable?
    /// The number of the last accepted step: 1, 2, 3, …
    private(set) var lastSeq: UInt64 = 0
    /// The number of steps held that use each table. Steps arrive in any order, so steps that share a table need not be
    /// neighbours.
    private var uses: [ObjectIdentifier: Int] = [:]

    init(createdAt: UTCTime) {
        self.createdAt = createdAt
        lastUpdate = createdAt
    }

    /// Makes the record of a step, which shares the tables of the latest step if they are equal.
    mutating func record(_ decoded: DecodedStep) -> StepRecord {
        lastSeq += 1
        let table =
            decoded.known.layers ?? self.table.flatMap { $0.layout == decoded.layout ? $0 : nil }
            ?? LayerTable(decoded.layout)
        let shapes =
            decoded.known.shapes ?? self.shapes.flatMap { $0.shapes == decoded.shapes ? $0 : nil }
            ?? ShapeTable(decoded.shapes)
        let columns =
            decoded.known.columns ?? self.columns.flatMap { $0.layout == decoded.columns ? $0 : nil }
            ?? ColumnTable(decoded.columns)
        // Steps without layers may come between steps that share theirs.
        if table.layout.layerCount > 0 {
            self.table = table
            self.shapes = shapes
        }
        self.columns = columns
        return StepRecord(decoded, seq: lastSeq, table: table, shapes: shapes, columns: columns)
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
    }

    /// Inserts a step, unless the run is full and all its steps are higher.
    mutating func keep(_ record: StepRecord, limit: Int) -> Placement {
        if steps.count >= limit, let first = steps.first, record.step < first.step {
            dropUnusedTables()
            return Placement(isKept: false)
        }
        count(record)
        if let replaced = steps.insert(record) { discount(replaced) }
        var dropped = 0
        while steps.count > limit {
            removeLowest()
            dropped += 1
        }
        return Placement(isKept: true, dropped: dropped)
    }

    /// Drops the lowest step.
    mutating func removeLowest() {
        if let removed = steps.removeFirst() { discount(removed) }
    }

    private mutating func count(_ record: StepRecord) {
        memory += record.memory
        if use(record.table, 1) == 1 { memory += record.table.memory }
        if use(record.shapes, 1) == 1 { memory += record.shapes.memory }
        if use(record.columns, 1) == 1 { memory += record.columns.memory }
    }

    private mutating func discount(_ record: StepRecord) {
        memory -= record.memory
        // A table that no step uses is not counted, so it must not be kept alive as the latest one either.
        if use(record.table, -1) == 0 {
            memory -= record.table.memory
            if table === record.table { table = nil }
        }
        if use(record.shapes, -1) == 0 {
            memory -= record.shapes.memory
            if shapes === record.shapes { shapes = nil }
        }
        if use(record.columns, -1) == 0 {
            memory -= record.columns.memory
            if columns === record.columns { columns = nil }
        }
    }

    /// Drops the latest tables if no held step uses them.
    private mutating func dropUnusedTables() {
        if let table, uses[ObjectIdentifier(table)] == nil { self.table = nil }
        if let shapes, uses[ObjectIdentifier(shapes)] == nil { self.shapes = nil }
        if let columns, uses[ObjectIdentifier(columns)] == nil { self.columns = nil }
    }

    /// Adds `change` to the number of steps that use a table, and returns the new number.
    private mutating func use(_ table: AnyObject, _ change: Int) -> Int {
        let id = ObjectIdentifier(table)
        let count = uses[id, default: 0] + change
        uses[id] = count == 0 ? nil : count
        return count
    }
}
