/// A run and those of its steps that a client asks for.
package struct RunHistory: Sendable {
    /// The run's id, as it was posted.
    package let id: RunID
    /// When the run began.
    package let createdAt: UTCTime
    let lastUpdate: UTCTime
    /// The sequence number of the last change that the history contains, over all runs.
    package let sequence: UInt64
    /// The `seq` of the last accepted step.
    package let lastSeq: UInt64
    /// Whether the client must forget the steps that it knows; `nil` if it asked for all steps.
    package private(set) var isReset: Bool?
    private(set) var steps: HistorySteps
    /// The bytes that the history uses beside its steps.
    package let memory: Int
    /// As in `RunSnapshot`.
    package let retained: (@Sendable () -> Int)?

    /// All steps held, in ascending order.
    package init(_ snapshot: RunSnapshot) {
        id = snapshot.id
        createdAt = snapshot.createdAt
        lastUpdate = snapshot.lastUpdate
        sequence = snapshot.sequence
        lastSeq = snapshot.lastSeq
        steps = HistorySteps(snapshot.steps)
        memory = snapshot.memory
        retained = snapshot.retained
    }

    /// The steps that changed, in the order of their changes.
    package init(_ changes: RunChanges) {
        id = changes.id
        createdAt = changes.createdAt
        lastUpdate = changes.lastUpdate
        sequence = changes.sequence
        lastSeq = changes.lastSeq
        isReset = changes.isReset
        steps = HistorySteps(changes.steps)
        memory = changes.memory
        retained = changes.retained
    }

    /// Removes the steps if there are more than the client wants. It must then forget those that it knows.
    ///
    /// - Parameter limit: the largest number of steps; `nil` for no limit.
    /// - Throws: `StoreError` if the steps cannot be read.
    package mutating func limit(to limit: Int?) async throws(StoreError) {
        guard let limit, try await steps.hasMore(than: limit) else { return }
        steps = HistorySteps()
        isReset = true
    }

    /// The first step of each structure that a client needs.
    ///
    /// - Parameter known: the structures that the client has.
    /// - Returns: the steps.
    /// - Throws: `StoreError` if the steps cannot be read.
    package func firstSteps(ofNewStructures known: Set<StructureID>) async throws(StoreError) -> [StepRecord] {
        var known = known
        var records: [StepRecord] = []
        var steps = steps
        while case let batch = try await steps.nextBatch(), !batch.isEmpty {
            for record in batch where record.layerCount > 0 && known.insert(record.structure).inserted {
                records.append(record)
            }
        }
        return records
    }
}

/// The steps of a history, read in batches.
struct HistorySteps: Sendable {
    private enum Source {
        case none
        case steps(any HistorySource)
        case changes(any ChangeSource)
    }

    private let source: Source
    private var lastStep: Int64?
    private var lastSeq: UInt64?

    /// No steps.
    init() { source = .none }

    /// In ascending order.
    init(_ steps: any HistorySource) { source = .steps(steps) }

    /// In the order of their changes.
    init(_ changes: any ChangeSource) { source = .changes(changes) }

    /// The next batch; empty at the end.
    mutating func nextBatch() async throws(StoreError) -> [StepRecord] {
        let batch: [StepRecord]
        switch source {
        case .none: return []
        case .steps(let source): batch = try await source.steps(after: lastStep)
        case .changes(let source): batch = try await source.steps(afterSeq: lastSeq)
        }
        lastStep = batch.last?.step ?? lastStep
        lastSeq = batch.last?.seq ?? lastSeq
        return batch
    }

    /// Whether there are more steps than a number.
    func hasMore(than limit: Int) async throws(StoreError) -> Bool {
        if case .changes(let source) = source { return try await source.count() > limit }
        var steps = self
        var count = 0
        while count <= limit, case let batch = try await steps.nextBatch(), !batch.isEmpty { count += batch.count }
        return count > limit
    }
}
