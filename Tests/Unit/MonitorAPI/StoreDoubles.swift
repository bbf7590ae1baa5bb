import Foundations
import MonitorCore

/// Suspends callers until the test opens it.
final class Valve: Sendable {
    private struct State {
        var isOpen = false
        var callers: [Int: CheckedContinuation<Bool, Never>] = [:]
        var calls = 0
        var cancelled = 0
    }

    private let state = Locked(State())

    /// The number of callers that wait.
    var waiting: Int { state.withLock { $0.callers.count } }

    /// The number of callers that were cancelled while they waited.
    var cancelled: Int { state.withLock { $0.cancelled } }

    /// Returns when the valve is open; throws when the task is cancelled.
    func pass() async throws(StoreError) {
        let id = state.withLock { state in
            state.calls += 1
            return state.calls
        }
        let hasPassed = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let result = state.withLock { state -> Bool? in
                    if state.isOpen { return true }
                    if Task.isCancelled {
                        state.cancelled += 1
                        return false
                    }
                    state.callers[id] = continuation
                    return nil
                }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            let caller = state.withLock { state in
                let caller = state.callers.removeValue(forKey: id)
                if caller != nil { state.cancelled += 1 }
                return caller
            }
            caller?.resume(returning: false)
        }
        if !hasPassed { throw StoreError("cancelled") }
    }

    /// Lets all callers pass, those that wait and later ones.
    func open() {
        let callers = state.withLock { state in
            state.isOpen = true
            defer { state.callers = [:] }
            return state.callers.values.map(\.self)
        }
        for caller in callers { caller.resume(returning: true) }
    }
}

/// A store whose failures and suspensions the test controls. It keeps its steps in arrays.
actor TestStore: MetricsStoring {
    /// What a call does.
    enum Behaviour {
        case succeed
        /// Throws before it takes a sequence number.
        case fail
        /// Takes a sequence number and throws.
        case failNumbered
        /// Evicts a run, takes two sequence numbers and throws.
        case failAfterEviction
        /// Succeeds this many times, and then does what `failNumbered` does.
        case failAfter(Int)
        /// Takes a sequence number and waits for the valve; throws when its task is cancelled.
        case wait(Valve)
    }

    nonisolated let lastSequence: UInt64
    private var sequence: UInt64
    private var runs: [RunID: [StepRecord]] = [:]
    private var behaviour = Behaviour.succeed
    private var batches = BatchedSteps(steps: [])
    /// The number of reads that succeed; `nil`: all.
    private var readsLeft: Int?

    init(lastSequence: UInt64 = 0) {
        self.lastSequence = lastSequence
        sequence = lastSequence
    }

    /// Sets what later calls do.
    func set(_ behaviour: Behaviour) {
        self.behaviour = behaviour
        readsLeft = nil
    }

    /// Lets a number of reads succeed, and later ones fail.
    func failReads(after count: Int) { readsLeft = count }

    /// Sets how the steps of later snapshots are read.
    func setBatches(of size: Int, valve: Valve? = nil, failsAfter step: Int64? = nil) {
        batches = BatchedSteps(steps: [], size: size, valve: valve, failsAfter: step)
    }

    func append(_ step: DecodedStep) async throws(StoreError) -> AppendOutcome {
        let number = try await change()
        let record = StepRecord(step)
        runs[step.runID, default: []].append(record)
        return AppendOutcome(step: StoredStep(sequence: number, runID: step.runID, record: record, kept: true))
    }

    func remove(_ id: RunID) async throws(StoreError) -> RemovedRun? {
        guard runs[id] != nil else { return nil }
        let number = try await change()
        return runs.removeValue(forKey: id).map {
            RemovedRun(sequence: number, runID: id, reason: .deleted, stepCount: $0.count)
        }
    }

    func listing() async throws(StoreError) -> (runs: [RunSummary], sequence: UInt64) {
        try await read()
        let summaries = runs.map { id, steps in
            RunSummary(
                id: id, createdAt: UTCTime(microseconds: 0), lastUpdate: UTCTime(microseconds: 0),
                stepCount: steps.count, latestStep: steps.last?.step, lastSeq: UInt64(steps.count))
        }
        return (summaries, sequence)
    }

    func snapshot(of id: RunID) async throws(StoreError) -> RunSnapshot? {
        try await read()
        guard let steps = runs[id] else { return nil }
        return RunSnapshot(
            id: id, createdAt: UTCTime(microseconds: 0), lastUpdate: UTCTime(microseconds: 0), sequence: sequence,
            lastSeq: UInt64(steps.count), steps: batches.with(steps))
    }

    func latest(of id: RunID) async throws(StoreError) -> StepRecord? {
        try await read()
        return runs[id]?.last
    }

    // What this store does not hold.

    func changes(of id: RunID, after seq: UInt64, createdAt: String?) async throws(StoreError) -> RunChanges? {
        try await read()
        return nil
    }

    func update(
        _ id: RunID, with update: RunUpdate
    ) async throws(StoreError) -> Result<RunUpdateOutcome, RejectedPayload> {
        throw StoreError("not held", events: [.void(sequence: try await change())])
    }

    func health(of id: RunID) async throws(StoreError) -> (report: HealthReport, run: RunDescription)? {
        try await read()
        return nil
    }

    func describe(_ id: RunID) async throws(StoreError) -> RunDescription? {
        try await read()
        return nil
    }

    func runs(matching filter: RunFilter) async throws(StoreError) -> RunPage {
        try await read()
        return RunPage(runs: [], next: nil)
    }

    func note(_ alert: PostedAlert, of id: RunID) async throws(StoreError) -> RunUpdateOutcome? {
        throw StoreError("not held", events: [.void(sequence: try await change())])
    }

    func noteSilence() async throws(StoreError) -> [StoreEvent] { [] }

    func noteProgress(since time: UTCTime) async throws(StoreError) -> [StoreEvent] { [] }

    /// Takes a sequence number.
    private func change() async throws(StoreError) -> UInt64 {
        if case .fail = behaviour { throw StoreError("the disk is full") }
        sequence += 1
        let number = sequence
        switch behaviour {
        case .succeed, .fail: break
        case .failAfter(let count) where count > 0: behaviour = .failAfter(count - 1)
        case .wait(let valve):
            do {
                try await valve.pass()
            } catch {
                throw StoreError(error.reason, events: [.void(sequence: number)])
            }
        case .failNumbered, .failAfter(0): throw StoreError("the disk is full", events: [.void(sequence: number)])
        case .failAfter(let count): behaviour = .failAfter(count - 1)
        case .failAfterEviction:
            sequence += 1
            let evicted = RemovedRun(sequence: number, runID: "evicted", reason: .runLimit, stepCount: 1)
            throw StoreError("the disk is full", events: [.removed(evicted), .void(sequence: sequence)])
        }
        return number
    }

    private func read() async throws(StoreError) {
        if let readsLeft {
            if readsLeft == 0 { throw StoreError("the disk is full") }
            self.readsLeft = readsLeft - 1
        }
        switch behaviour {
        case .succeed, .failAfter: break
        case .wait(let valve): try await valve.pass()
        case .fail, .failNumbered, .failAfterEviction: throw StoreError("the disk is full")
        }
    }
}

/// Steps that are read in small batches, from a source that waits or fails.
struct BatchedSteps: HistorySource {
    var steps: [StepRecord]
    var size = 1000
    /// Every batch but the first waits for it.
    var valve: Valve?
    /// Batches after this step fail; `-1`: all of them.
    var failsAfter: Int64?

    func with(_ steps: [StepRecord]) -> BatchedSteps {
        var copy = self
        copy.steps = steps
        return copy
    }

    func steps(after step: Int64?) async throws(StoreError) -> [StepRecord] {
        if let failsAfter, step ?? -1 >= failsAfter { throw StoreError("the disk is broken") }
        if step != nil { try await valve?.pass() }
        return Array(steps.drop { $0.step <= step ?? -1 }.prefix(size))
    }
}
