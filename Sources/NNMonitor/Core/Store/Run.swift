/// What the listing says of a run.
package struct RunSummary: Sendable, Equatable {
    /// The run's id, as it was posted.
    package let id: String
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
    package let id: String
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
    /// Bytes of the steps and of the tables they share.
    private(set) var memory = 0
    private var table: LayerTable?
    private var shapes: ShapeTable?

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
            memory += table.memory
            self.table = table
        }
        let shapes: ShapeTable
        if let current = self.shapes, current.shapes == decoded.shapes {
            shapes = current
        } else {
            shapes = ShapeTable(decoded.shapes)
            memory += shapes.memory
            self.shapes = shapes
        }
        return StepRecord(decoded, table: table, shapes: shapes)
    }

    /// Keeps a step, unless the run is full of higher ones.
    ///
    /// - Returns: whether it was kept.
    mutating func keep(_ record: StepRecord, limit: Int) -> Bool {
        if steps.count >= limit, let first = steps.first, record.step < first.step { return false }
        memory += record.memory
        if let replaced = steps.insert(record) { memory -= replaced.memory }
        while steps.count > limit { removeLowest() }
        return true
    }

    /// Drops the lowest step.
    mutating func removeLowest() {
        guard let removed = steps.removeFirst() else { return }
        memory -= removed.memory
        // A table goes with the last step that used it: its neighbour above shares it, or is the first that doesn't.
        if let next = steps.first {
            if next.table !== removed.table { memory -= removed.table.memory }
            if next.shapes !== removed.shapes { memory -= removed.shapes.memory }
        }
    }
}
