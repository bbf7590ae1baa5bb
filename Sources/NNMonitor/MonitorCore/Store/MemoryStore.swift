/// The limits of a store.
package struct StoreLimits: Sendable, Equatable {
    /// The largest number of runs. A new run above it evicts the run that was updated least recently.
    package var runs: Int
    /// The largest number of steps of a run. Above it the lowest steps are dropped.
    package var stepsPerRun: Int
    /// The largest size of all stored metrics, in bytes, without what only snapshots keep alive. Above it the run that
    /// was updated least recently is evicted. 0 means no limit.
    package var memory: Int
    /// The largest number of names and layer ids of a run. Further ones are ignored.
    package var namesPerRun: Int

    /// The largest size of the buckets of all runs' steps that are no longer kept, in bytes: a quarter of `memory`.
    var archiveMemory: Int { memory > 0 ? memory / 4 : .max }

    /// - Parameters:
    ///   - runs: the largest number of runs.
    ///   - stepsPerRun: the largest number of steps of a run.
    ///   - memory: the largest size of all stored metrics, in bytes; 0 means no limit.
    ///   - namesPerRun: the largest number of names and layer ids of a run.
    package init(runs: Int = 1000, stepsPerRun: Int = 1000, memory: Int = 0, namesPerRun: Int = 10_000) {
        self.runs = runs
        self.stepsPerRun = stepsPerRun
        self.memory = memory
        self.namesPerRun = namesPerRun
    }
}

/// A store that holds all runs in memory. Its operations neither suspend nor fail.
package actor MemoryStore: MetricsStoring {
    /// The sequence number of the last change before a restart; 0 for a new store.
    package nonisolated let lastSequence: UInt64
    let limits: StoreLimits
    private let clock: @Sendable () -> UTCTime
    var runs = RunTable()
    private(set) var sequence: UInt64
    private var memory = 0
    /// The part of `memory` that is buckets of steps that are no longer kept.
    private(set) var archiveMemory = 0
    /// The slot of the run whose buckets were merged last for want of memory.
    private var archiveHand: RunTable.Slot = 0
    private let ledger = StoreLedger()
    private let observer: @Sendable () -> any RunObserver
    private var lastMoment: UTCTime

    /// - Parameters:
    ///   - limits: the limits of what is kept.
    ///   - lastSequence: the sequence number of the last change before a restart; 0 for a new store.
    ///   - lastUpdate: the time of that change. Times that the store assigns are later, even if the clock was set back.
    ///   - clock: wall-clock time; tests pass their own.
    ///   - observer: makes what judges the steps of a new run.
    package init(
        limits: StoreLimits, lastSequence: UInt64 = 0, lastUpdate: UTCTime = UTCTime(microseconds: .min),
        clock: @escaping @Sendable () -> UTCTime = UTCTime.now,
        observer: @escaping @Sendable () -> any RunObserver = { NoRules() }
    ) {
        self.observer = observer
        self.limits = limits
        self.lastSequence = lastSequence
        self.clock = clock
        sequence = lastSequence
        lastMoment = lastUpdate
    }

    /// Stores a step: replaces the same step of the same run, or inserts it in order, and evicts what exceeds a limit.
    ///
    /// - Parameter decoded: a valid step.
    /// - Returns: the step with its sequence number, and what was evicted for it.
    package func append(_ decoded: DecodedStep) -> AppendOutcome {
        let now = moment()
        let id = decoded.runID
        var evicted: [RemovedRun] = []
        var changes: [RunChange] = []
        let slot: RunTable.Slot
        if let held = runs.slot(of: id) {
            slot = held
        } else {
            slot = begin(id, at: now, &evicted)
            changes.append(change(slot, at: now, hasBegun: true))
        }
        let number = nextSequence()
        let (record, placement, warnings, health) = update(slot, at: now) { run in
            let (step, warnings) = run.admit(decoded, maximumNames: limits.namesPerRun)
            let record = run.record(step)
            let placement = run.keep(record, limit: limits.stepsPerRun)
            run.note(
                record, followsInBody: decoded.followsInBody, placement, at: now)
            let health = run.observe(record, isBelowKeptSteps: !placement.isKept)
            return (record, placement, warnings, health)
        }
        if endSilence(slot, at: now) { changes.append(change(slot, at: now)) }
        let (alerts, notices) = events(of: health, slot, at: now)
        let trimmed = enforceMemoryLimit(keeping: slot, at: now, &evicted)
        // Where there is room for more steps, the lower ones were dropped for want of memory.
        let isFull = runs[slot].steps.count >= limits.stepsPerRun
        var reason: NotKeptReason? = placement.isKept ? nil : isFull ? .belowKeptSteps : .memory
        if trimmed > 0, reason == nil, let first = runs[slot].steps.first, first.step > record.step { reason = .memory }
        return AppendOutcome(
            step: StoredStep(sequence: number, runID: id, record: record, kept: reason == nil), reason: reason,
            warnings: warnings, changes: changes, alerts: alerts, notices: notices,
            droppedForStepLimit: placement.dropped, droppedForMemory: trimmed,
            evicted: evicted)
    }

    /// Stores several steps without letting other calls in between.
    package func append(_ steps: [DecodedStep]) -> AppendedSteps {
        var appended = AppendedSteps(capacity: steps.count)
        for step in steps { appended.outcomes.append(append(step)) }
        return appended
    }

    /// Deletes a run. A step that arrives later with the same id begins a new run.
    ///
    /// - Parameter id: the run.
    /// - Returns: the event to publish; `nil` if there is no such run.
    package func remove(_ id: RunID) -> RemovedRun? { runs.remove(id).map { removed($0, id: id, .deleted) } }

    /// All runs in order of creation, and the sequence number of the last change that they reflect.
    package func listing() -> (runs: [RunSummary], sequence: UInt64) {
        let summaries = runs.compactMap { id, run in
            RunSummary(
                id: id, createdAt: run.createdAt, lastUpdate: run.lastUpdate, stepCount: run.steps.count,
                latestStep: run.steps.last?.step, lastSeq: run.lastSeq)
        }
        return (summaries, sequence)
    }

    /// A run as it is now; `nil` if there is no such run.
    package func snapshot(of id: RunID) -> RunSnapshot? {
        runs[id].map { RunSnapshot($0, id: id, sequence: sequence) }
    }

    /// The step of a run with the highest number; `nil` if there is no such run.
    package func latest(of id: RunID) -> StepRecord? { runs[id]?.steps.last }

    /// The tables that the next step of a run probably has.
    package func tables(of id: RunID) async -> KnownTables {
        runs.slot(of: id).map { runs[$0].latestTables } ?? KnownTables()
    }

    /// The size of everything held, in bytes, as it counts against `StoreLimits.memory`.
    package var memoryInUse: Int { memory }

    /// The size of the steps that were replaced, dropped or evicted and that snapshots keep alive, in bytes.
    package nonisolated var retainedMemory: Int { ledger.retained }

    func nextSequence() -> UInt64 {
        sequence += 1
        return sequence
    }

    /// The current time, always later than the time before: evictions go by `lastUpdate`, and clocks may be set back.
    func moment() -> UTCTime {
        lastMoment = max(clock(), UTCTime(microseconds: lastMoment.microseconds &+ 1))
        return lastMoment
    }

    /// The current time for reading; not earlier than the last change.
    var currentTime: UTCTime { max(clock(), lastMoment) }

    /// Begins a run. Evicts another if the store already holds as many runs as allowed.
    func begin(_ id: RunID, at now: UTCTime, _ evicted: inout [RemovedRun]) -> RunTable.Slot {
        while runs.count >= limits.runs, let run = evictOldest(.runLimit) { evicted.append(run) }
        memory += RunTable.memory(of: id)
        return runs.add(Run(createdAt: now, ledger: RunLedger(total: ledger), observer: observer()), id: id)
    }

    /// The events of alerts that changed: one for each, and the run with its new numbers of open alerts.
    func events(
        of health: HealthChanges, _ slot: RunTable.Slot, at now: UTCTime, withRun: Bool = true
    ) -> (events: [StoreEvent], notices: [EpisodeNotice]) {
        if health.alerts.isEmpty { return ([], []) }
        let id = runs.id(of: slot)
        var events = health.alerts.map { alert in
            StoreEvent.alert(RunAlert(sequence: nextSequence(), runID: id, alert: alert))
        }
        if withRun { events.append(.run(change(slot, at: now))) }
        let info = runs[slot].details.info
        let notices = health.notices.map { notice in
            EpisodeNotice(
                notice.event, runID: id, project: String(decoding: info.project ?? [], as: UTF8.self),
                name: String(decoding: info.name ?? [], as: UTF8.self), episode: notice.episode, alerts: notice.alerts)
        }
        return (events, notices)
    }

    private func evictOldest(_ reason: RemovalReason) -> RemovedRun? {
        runs.removeOldest().map { removed($0.run, id: $0.id, reason) }
    }

    /// Accounts for a run that was taken out of the table.
    private func removed(_ run: Run, id: RunID, _ reason: RemovalReason) -> RemovedRun {
        memory -= run.memory + RunTable.memory(of: id)
        archiveMemory -= run.series.archiveMemory
        run.ledger?.setStored(0)
        return RemovedRun(sequence: nextSequence(), runID: id, reason: reason, stepCount: run.steps.count)
    }

    /// Changes a run, counts its memory, and moves it to the end of the order of updates.
    func update<Value>(_ slot: RunTable.Slot, at now: UTCTime, _ body: (inout Run) -> Value) -> Value {
        let (value, growth) = runs.update(slot) { run in
            let before = (run.memory, run.series.archiveMemory)
            run.lastUpdate = now
            let value = body(&run)
            run.ledger?.setStored(run.stepMemory)
            return (value, (run.memory - before.0, run.series.archiveMemory - before.1))
        }
        memory += growth.0
        archiveMemory += growth.1
        return value
    }

    /// Merges buckets of steps that are not kept until they are within their part of the memory, run by run: those of
    /// runs that use at least the average of all.
    private func enforceArchiveLimit() {
        // One round reaches the run with the most buckets.
        var rest = runs.slotCount
        while archiveMemory > limits.archiveMemory, rest > 0 {
            rest -= 1
            archiveHand = runs.slot(after: archiveHand)
            let average = archiveMemory / max(1, runs.count)
            while archiveMemory > limits.archiveMemory, runs[archiveHand].series.archiveMemory >= average {
                let growth = runs.change(archiveHand) { run in
                    let before = (run.memory, run.series.archiveMemory)
                    run.shrinkArchive()
                    run.ledger?.setStored(run.stepMemory)
                    return (run.memory - before.0, run.series.archiveMemory - before.1)
                }
                memory += growth.0
                archiveMemory += growth.1
                rest = runs.slotCount
            }
        }
    }

    /// Evicts the least recently updated runs other than the one in `slot`. If that run alone exceeds the limit, drops
    /// its lowest steps, but never its last one, and then its oldest events.
    ///
    /// - Returns: the number of steps dropped from that run.
    func enforceMemoryLimit(
        keeping slot: RunTable.Slot, at now: UTCTime, _ evicted: inout [RemovedRun]
    ) -> Int {
        guard limits.memory > 0 else { return 0 }
        enforceArchiveLimit()
        while memory > limits.memory && runs.count > 1, let run = evictOldest(.memoryLimit) { evicted.append(run) }
        guard memory > limits.memory else { return 0 }
        let excess = memory - limits.memory
        return update(slot, at: now) { $0.free(excess, archiveLimit: limits.archiveMemory, at: now) }
    }
}
