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
    /// The names that the run's steps have used.
    package let names: RunNames
    /// The run's layers.
    package let structure: RunStructure
    /// Summaries of the steps; `nil` if the store has none, so that all steps are read.
    let series: SeriesSnapshot?
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
    ///   - names: the names that the run's steps have used.
    ///   - structure: the run's layers.
    ///   - memory: the bytes that the snapshot uses beside its steps.
    ///   - retained: the bytes of the run's steps that only snapshots keep alive.
    package init(
        id: RunID, createdAt: UTCTime, lastUpdate: UTCTime, sequence: UInt64, lastSeq: UInt64,
        steps: any HistorySource, names: RunNames = RunNames(), structure: RunStructure = RunStructure(),
        memory: Int = 0, retained: (@Sendable () -> Int)? = nil
    ) {
        self.id = id
        self.createdAt = createdAt
        self.lastUpdate = lastUpdate
        self.sequence = sequence
        self.lastSeq = lastSeq
        self.steps = steps
        self.names = names
        self.structure = structure
        self.series = nil
        self.memory = memory
        self.retained = retained
    }

    /// A snapshot of a run of the memory store.
    init(_ run: Run, id: RunID, sequence: UInt64) {
        self.id = id
        createdAt = run.createdAt
        lastUpdate = run.lastUpdate
        self.sequence = sequence
        lastSeq = run.lastSeq
        steps = run.steps
        names = run.details.names
        structure = run.details.structure
        series = SeriesSnapshot(series: run.series, records: run.steps)
        memory = run.steps.memoryOfCopy + run.series.memoryOfCopy
        retained = { [ledger = run.ledger] in ledger?.retained ?? 0 }
    }
}
