/// Where accepted steps are kept.
///
/// Every change (an accepted step, a removed run) gets a sequence number: `lastSequence + 1`, then one more each time,
/// over all runs. The caller publishes the events that a call returns or throws. Subscribers get events in the order of
/// these numbers, so a number that never reaches the broadcaster holds back all later events. A store therefore
/// accounts for every number it takes, also when the call fails: see `StoreError.events`.
///
/// A call may suspend and may fail. A store that is shared between servers, or on a disk, implements the same protocol.
package protocol MetricsStoring: Sendable {
    /// The sequence number of the last change before this store was opened; 0 for a new store. It never changes.
    nonisolated var lastSequence: UInt64 { get }

    /// The size of the steps that were replaced, dropped or evicted and that snapshots keep alive, in bytes. A step
    /// that several snapshots contain counts once. 0 for a store whose snapshots keep no steps in memory.
    nonisolated var retainedMemory: Int { get }

    /// The size of everything that the store holds in memory, in bytes.
    var memoryInUse: Int { get async }

    /// Stores a step: replaces the same step of the same run, or inserts it in order, and evicts what exceeds a limit.
    ///
    /// When this returns, the step is stored: a read that begins afterwards sees it.
    ///
    /// - Parameter step: a valid step.
    /// - Returns: the step with its sequence number, and what was evicted for it.
    /// - Throws: `StoreError` if the step was not stored.
    func append(_ step: DecodedStep) async throws(StoreError) -> AppendOutcome

    /// Stores several steps in their order, each as `append(_:)` for one step does. The first failure ends the call: no
    /// later step is stored.
    ///
    /// - Parameter steps: valid steps, few enough that storing them does not hold up other calls.
    /// - Returns: the effects of the stored steps, and the failure if one was not stored.
    func append(_ steps: [DecodedStep]) async -> AppendedSteps

    /// Deletes a run. A step that arrives later with the same id begins a new run.
    ///
    /// - Parameter id: the run.
    /// - Returns: the event to publish; `nil` if there is no such run.
    /// - Throws: `StoreError` if the run was not deleted.
    func remove(_ id: RunID) async throws(StoreError) -> RemovedRun?

    /// All runs in order of creation, and the sequence number of the last change that they reflect: every change up to
    /// that number, none after it.
    ///
    /// - Throws: `StoreError` if the runs cannot be read.
    func listing() async throws(StoreError) -> (runs: [RunSummary], sequence: UInt64)

    /// A run at one sequence number. Its steps are read through `RunSnapshot.steps`.
    ///
    /// - Parameter id: the run.
    /// - Returns: the run; `nil` if there is no such run.
    /// - Throws: `StoreError` if the run cannot be read.
    func snapshot(of id: RunID) async throws(StoreError) -> RunSnapshot?

    /// The step of a run with the highest number.
    ///
    /// - Parameter id: the run.
    /// - Returns: the step; `nil` if there is no such run.
    /// - Throws: `StoreError` if the step cannot be read.
    func latest(of id: RunID) async throws(StoreError) -> StepRecord?

    /// The steps of a run that changed after a `seq`.
    ///
    /// - Parameters:
    ///   - id: the run.
    ///   - seq: the highest `seq` that the client knows; 0 for none.
    ///   - createdAt: the run's `created_at` as the client knows it; `nil` if it does not know it. Another run with the
    ///     same id has another one.
    /// - Returns: the steps; `nil` if there is no such run.
    /// - Throws: `StoreError` if the run cannot be read.
    func changes(
        of id: RunID, after seq: UInt64, createdAt: String?
    ) async throws(StoreError) -> RunChanges?

    /// Updates what clients report about a run. A new id begins a run without steps.
    ///
    /// - Parameters:
    ///   - id: the run.
    ///   - update: a valid update.
    /// - Returns: the run, and the events to publish; or the errors of the update, which then has no effect.
    /// - Throws: `StoreError` if the update was not stored.
    func update(
        _ id: RunID, with update: RunUpdate
    ) async throws(StoreError) -> Result<RunUpdateOutcome, RejectedPayload>

    /// A run without its steps.
    ///
    /// - Parameter id: the run.
    /// - Returns: the run; `nil` if there is no such run.
    /// - Throws: `StoreError` if the run cannot be read.
    func describe(_ id: RunID) async throws(StoreError) -> RunDescription?

    /// A part of the listing of runs, the last updated one first.
    ///
    /// - Parameter filter: which runs.
    /// - Returns: the runs.
    /// - Throws: `StoreError` if the runs cannot be read.
    func runs(matching filter: RunFilter) async throws(StoreError) -> RunPage

    /// Notes an alert of a run's trainer. It is closed at once.
    ///
    /// - Parameters:
    ///   - alert: a valid alert.
    ///   - id: the run.
    /// - Returns: the run, and the events to publish; `nil` if there is no such run.
    /// - Throws: `StoreError` if the alert was not stored.
    func note(_ alert: PostedAlert, of id: RunID) async throws(StoreError) -> RunUpdateOutcome?

    /// The health of a run, and what is known of the run.
    ///
    /// - Parameter id: the run.
    /// - Returns: both, as they were at one time; `nil` if there is no such run.
    /// - Throws: `StoreError` if the run cannot be read.
    func health(of id: RunID) async throws(StoreError) -> (report: HealthReport, run: RunDescription)?

    /// Finds runs that have become silent since the last call.
    ///
    /// - Returns: the events to publish.
    /// - Throws: `StoreError` if the runs cannot be read.
    func noteSilence() async throws(StoreError) -> [StoreEvent]

    /// Finds runs that have got steps since the last call.
    ///
    /// - Parameter time: runs whose last change is earlier are left out.
    /// - Returns: the events to publish.
    /// - Throws: `StoreError` if the runs cannot be read.
    func noteProgress(since time: UTCTime) async throws(StoreError) -> [StoreEvent]

    /// The tables that the next step of a run probably has: those of its latest step, and of its latest step with
    /// layers. A decoder that recognises them saves the time to parse the same text again; none is always a valid
    /// answer.
    ///
    /// - Parameter id: the run.
    /// - Returns: the tables.
    func tables(of id: RunID) async -> KnownTables
}

extension MetricsStoring {
    /// The steps of a run that changed after a `seq`.
    package func changes(of id: RunID, after seq: UInt64) async throws(StoreError) -> RunChanges? {
        try await changes(of: id, after: seq, createdAt: nil)
    }
}

extension MetricsStoring {
    /// Stores one step after the other.
    package func append(_ steps: [DecodedStep]) async -> AppendedSteps {
        var appended = AppendedSteps(capacity: steps.count)
        for step in steps {
            do throws(StoreError) {
                appended.outcomes.append(try await append(step))
            } catch {
                appended.failure = error
                break
            }
        }
        return appended
    }

    /// None.
    package func tables(of id: RunID) async -> KnownTables { KnownTables() }

    /// Nothing is kept in memory.
    package nonisolated var retainedMemory: Int { 0 }

    /// Nothing is kept in memory.
    package var memoryInUse: Int { get async { 0 } }
}

/// The steps of a run as they were when a snapshot was taken, read in batches.
package protocol HistorySource: Sendable {
    /// The next batch of steps, ascending. The source chooses its size: at least one step, except at the end.
    ///
    /// A step that was replaced or dropped after the snapshot may be missing; its replacement may not appear instead.
    ///
    /// - Parameter step: the last step of the batch before; `nil` for the first batch.
    /// - Returns: steps with a higher number than `step`; none at the end.
    /// - Throws: `StoreError` if they cannot be read. A source that waits stops waiting when its task is cancelled.
    func steps(after step: Int64?) async throws(StoreError) -> [StepRecord]
}

/// An operation of the store failed.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, for the server's log; clients do not see it.
    package let reason: String
    /// The sequence numbers that the failed call took: `.void` for a change that did not happen, another event for one
    /// that did (such as an eviction before a step that could not be written). They must be published.
    package let events: [StoreEvent]

    /// - Parameters:
    ///   - reason: what went wrong, for the server's log.
    ///   - events: one event for each sequence number that the call took.
    package init(_ reason: String, events: [StoreEvent] = []) {
        self.reason = reason
        self.events = events
    }

    /// The reason.
    package var description: String { reason }
}
