import Foundations

/// The steps of a run that changed after a `seq`.
package struct RunChanges: Sendable {
    /// The run's id, as it was posted.
    package let id: RunID
    /// When the run began; never changes.
    package let createdAt: UTCTime
    /// When the run was changed last.
    package let lastUpdate: UTCTime
    /// The sequence number of the last change that the snapshot reflects, over all runs.
    package let sequence: UInt64
    /// The `seq` of the last accepted step.
    package let lastSeq: UInt64
    /// Whether the store does not know all that changed. `steps` are then all steps held.
    package let isReset: Bool
    /// The newest version of each changed step that is held.
    package let steps: any ChangeSource
    /// The bytes that the snapshot uses beside its steps.
    package let memory: Int
    /// As in `RunSnapshot`.
    package let retained: (@Sendable () -> Int)?

    /// - Parameters:
    ///   - id: the run's id, as it was posted.
    ///   - createdAt: when the run began.
    ///   - lastUpdate: when the run was changed last.
    ///   - sequence: the sequence number of the last change that the snapshot reflects.
    ///   - lastSeq: the `seq` of the last accepted step.
    ///   - isReset: whether the store does not know all that changed.
    ///   - steps: the changed steps.
    ///   - memory: the bytes that the snapshot uses beside its steps.
    ///   - retained: as in `RunSnapshot`.
    package init(
        id: RunID, createdAt: UTCTime, lastUpdate: UTCTime, sequence: UInt64, lastSeq: UInt64, isReset: Bool,
        steps: any ChangeSource, memory: Int = 0, retained: (@Sendable () -> Int)? = nil
    ) {
        self.id = id
        self.createdAt = createdAt
        self.lastUpdate = lastUpdate
        self.sequence = sequence
        self.lastSeq = lastSeq
        self.isReset = isReset
        self.steps = steps
        self.memory = memory
        self.retained = retained
    }
}

/// Changed steps of a run as they were when a snapshot was taken, read in batches.
package protocol ChangeSource: Sendable {
    /// The number of steps.
    ///
    /// - Throws: `StoreError` if it cannot be read.
    func count() async throws(StoreError) -> Int

    /// The next batch of steps, in ascending order of `seq`. The source chooses its size: at least one step, except at
    /// the end.
    ///
    /// - Parameter seq: the `seq` of the last step of the batch before; `nil` for the first batch.
    /// - Returns: steps with a higher `seq`; none at the end.
    /// - Throws: `StoreError` if they cannot be read. A source that waits stops waiting when its task is cancelled.
    func steps(afterSeq seq: UInt64?) async throws(StoreError) -> [StepRecord]
}

/// Changed steps in memory. The task that reads them first selects and sorts them, not the store's actor.
final class ChangedSteps: ChangeSource {
    private static let batchSize = 256

    private let all: StepSequence
    private let after: UInt64
    private let selected = Locked<[StepRecord]?>(nil)

    /// - Parameters:
    ///   - all: the steps of the run.
    ///   - after: steps with a higher `seq` are selected.
    init(_ all: StepSequence, after: UInt64) {
        self.all = all
        self.after = after
    }

    func count() -> Int { records().count }

    func steps(afterSeq seq: UInt64?) -> [StepRecord] {
        let records = records()
        guard let seq else { return Array(records.prefix(Self.batchSize)) }
        var low = 0
        var high = records.count
        while low < high {
            let middle = (low + high) / 2
            if records[middle].seq <= seq { low = middle + 1 } else { high = middle }
        }
        return Array(records[low..<min(low + Self.batchSize, records.count)])
    }

    private func records() -> [StepRecord] {
        selected.withLock { selected in
            let records = selected ?? all.changed(after: after)
            selected = records
            return records
        }
    }
}
