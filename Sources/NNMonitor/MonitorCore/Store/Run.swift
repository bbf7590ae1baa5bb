/// What the listing says of a run.
package struct RunSummary: Sendable, Equatable {
    /// The run's id, as it was posted.
    package let id: RunID
    /// When its first step arrived; never changes.
    package let createdAt: UTCTime
    /// When its last accepted step arrived.
    package let lastUpdate: UTCTime
    /// Steps kept.
    package let stepCount: Int
    /// The highest step kept.
    package let latestStep: Int64
}

/// A run as it was at one moment. Taking it copies no numbers.
package struct RunSnapshot: Sendable {
    /// The run's id, as it was posted.
    package let id: RunID
    /// When its first step arrived; never changes.
    package let createdAt: UTCTime
    /// When its last accepted step arrived.
    package let lastUpdate: UTCTime
    /// The steps kept, ascending.
    package let steps: StepSequence
    /// The store's sequence number at that moment: every accepted step up to it is in the snapshot (or was evicted).
    package let sequence: UInt64
}

/// A run in the store.
struct Run {
    let createdAt: UTCTime
    var lastUpdate: UTCTime
    var steps = StepSequence()
    /// Bytes of the steps held and of the tables they share.
    private(set) var memory = 0
    /// The latest tables, for the next step.
    private var table: LayerTable?
    private var shapes: ShapeTable?
    /// How many of the steps held share a table. Steps need not come in order, so neighbours don't tell.
    private var uses: [ObjectIdentifier: Int] = [:]

    init(createdAt: UTCTime) {
        self.createdAt = createdAt
        lastUpdate = createdAt
    }

    /// Makes the record of a step, sharing the structure with the step before where it is the same.
    mutating func record(_ decoded: DecodedStep) -> StepRecord {
        let table: LayerTable
        if let current = self.table, current.layout == decoded.layout {
            table = current
        } else {
            table = LayerTable(decoded.layout)
            self.table = table
        }
        let shapes: ShapeTable
        if let current = self.shapes, current.shapes == decoded.shapes {
            shapes = current
        } else {
            shapes = ShapeTable(decoded.shapes)
            self.shapes = shapes
        }
        return StepRecord(decoded, table: table, shapes: shapes)
    }

    /// What `keep` did.
    struct Placement: Equatable {
        /// Whether the step is held.
        var isKept: Bool
        /// How many lower steps made room for it.
        var dropped = 0
    }

    /// Keeps a step, unless the run is full of higher ones.
    mutating func keep(_ record: StepRecord, limit: Int) -> Placement {
        if steps.count >= limit, let first = steps.first, record.step < first.step {
            forgetUnusedTables()
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
    }

    private mutating func discount(_ record: StepRecord) {
        memory -= record.memory
        // The latest tables are not held for their own sake: what is counted is what is held.
        if use(record.table, -1) == 0 {
            memory -= record.table.memory
            if table === record.table { table = nil }
        }
        if use(record.shapes, -1) == 0 {
            memory -= record.shapes.memory
            if shapes === record.shapes { shapes = nil }
        }
    }

    /// Drops the latest tables if no step that is held uses them.
    private mutating func forgetUnusedTables() {
        if let table, uses[ObjectIdentifier(table)] == nil { self.table = nil }
        if let shapes, uses[ObjectIdentifier(shapes)] == nil { self.shapes = nil }
    }

    /// Notes that a step more or less shares a table; returns how many do now.
    private mutating func use(_ table: AnyObject, _ change: Int) -> Int {
        let id = ObjectIdentifier(table)
        let count = uses[id, default: 0] + change
        uses[id] = count == 0 ? nil : count
        return count
    }
}
