/// What the store keeps at most.
package struct StoreLimits: Sendable, Equatable {
    /// Runs held; over it the run whose last update is oldest is evicted.
    package var runs: Int
    /// Steps held of a run; over it the highest stay.
    package var stepsPerRun: Int
    /// Bytes of stored metrics; over it the oldest run is evicted. 0 means no limit.
    package var memory: Int

    package init(runs: Int = 1000, stepsPerRun: Int = 1000, memory: Int = 0) {
        self.runs = runs
        self.stepsPerRun = stepsPerRun
        self.memory = memory
    }
}

/// All runs, in memory. It does not know subscribers: the caller of `append` and `remove` publishes what they return.
package actor MetricsStore {
    private let limits: StoreLimits
    private let clock: @Sendable () -> UTCTime
    private var runs = RunTable()
    private var sequence: UInt64 = 0
    private var memory = 0
    private var lastMoment = UTCTime(microseconds: .min)

    /// - Parameters:
    ///   - limits: what is kept at most.
    ///   - clock: wall-clock time; a test gives its own.
    package init(limits: StoreLimits, clock: @escaping @Sendable () -> UTCTime = UTCTime.now) {
        self.limits = limits
        self.clock = clock
    }

    /// Accepts a step: replaces the same step of the same run, or places it in order, and evicts what is over a limit.
    package func append(_ decoded: DecodedStep) -> AppendOutcome {
        let now = moment()
        let id = decoded.runID
        var evicted: [RemovedRun] = []
        let place = runs.place(of: id) ?? begin(id, at: now, &evicted)
        let number = nextSequence()
        let (record, placement, growth) = runs.update(place) { keep(decoded, in: &$0, at: now) }
        memory += growth
        let trimmed = enforceMemoryLimit(keeping: place, &evicted)
        return AppendOutcome(
            step: StoredStep(sequence: number, runID: id, record: record, kept: placement.isKept),
            droppedForStepLimit: placement.dropped, droppedForMemory: trimmed, evicted: evicted)
    }

    /// Forgets a run. A step of it that comes later begins a new run.
    ///
    /// - Returns: what subscribers get; `nil` when the run is not held.
    package func remove(_ id: RunID) -> RemovedRun? { runs.remove(id).map { removed($0, id: id, .deleted) } }

    /// All runs, in order of creation, and the sequence number at which this was true.
    package func listing() -> (runs: [RunSummary], sequence: UInt64) {
        let summaries = runs.compactMap { id, run in
            run.steps.last.map {
                RunSummary(
                    id: id, createdAt: run.createdAt, lastUpdate: run.lastUpdate, stepCount: run.steps.count,
                    latestStep: $0.step)
            }
        }
        return (summaries, sequence)
    }

    /// A run as it is now; `nil` when it is not held.
    package func snapshot(of id: RunID) -> RunSnapshot? {
        guard let run = runs[id] else { return nil }
        return RunSnapshot(
            id: id, createdAt: run.createdAt, lastUpdate: run.lastUpdate, steps: run.steps, sequence: sequence)
    }

    /// The highest step of a run; `nil` when the run is not held.
    package func latest(of id: RunID) -> StepRecord? { runs[id]?.steps.last }

    /// Bytes of everything held.
    package var memoryInUse: Int { memory }

    private func keep(
        _ decoded: DecodedStep, in run: inout Run, at now: UTCTime
    ) -> (record: StepRecord, placement: Run.Placement, growth: Int) {
        let before = run.memory
        let record = run.record(decoded)
        let placement = run.keep(record, limit: limits.stepsPerRun)
        run.lastUpdate = now
        return (record, placement, run.memory - before)
    }

    private func nextSequence() -> UInt64 {
        sequence += 1
        return sequence
    }

    /// The present moment, never the same or an earlier one than the last: `last_update` orders evictions, and clocks
    /// are set back.
    private func moment() -> UTCTime {
        lastMoment = max(clock(), UTCTime(microseconds: lastMoment.microseconds &+ 1))
        return lastMoment
    }

    /// Makes room for a run, and begins it.
    private func begin(_ id: RunID, at now: UTCTime, _ evicted: inout [RemovedRun]) -> RunTable.Place {
        while runs.count >= limits.runs, let run = evictOldest(.runLimit) { evicted.append(run) }
        memory += RunTable.memory(of: id)
        return runs.add(Run(createdAt: now), id: id)
    }

    private func evictOldest(_ reason: RemovalReason) -> RemovedRun? {
        runs.removeOldest().map { removed($0.run, id: $0.id, reason) }
    }

    /// Notes that a run has left the table.
    private func removed(_ run: Run, id: RunID, _ reason: RemovalReason) -> RemovedRun {
        memory -= run.memory + RunTable.memory(of: id)
        return RemovedRun(sequence: nextSequence(), runID: id, reason: reason, stepCount: run.steps.count)
    }

    /// Evicts the oldest other runs; when the run alone, which was updated last, is over the limit, its lowest steps, but
    /// never the last one.
    ///
    /// - Returns: how many steps of the run this dropped.
    private func enforceMemoryLimit(keeping place: RunTable.Place, _ evicted: inout [RemovedRun]) -> Int {
        guard limits.memory > 0 else { return 0 }
        while memory > limits.memory && runs.count > 1, let run = evictOldest(.memoryLimit) { evicted.append(run) }
        guard memory > limits.memory else { return 0 }
        let (freed, steps) = runs.update(place) { trim(&$0) }
        memory -= freed
        return steps
    }

    /// Drops the lowest steps of a run until the limit is met or one step is left.
    ///
    /// - Returns: the bytes that this freed, and how many steps it dropped.
    private func trim(_ run: inout Run) -> (freed: Int, steps: Int) {
        let before = run.memory
        let steps = run.steps.count
        while memory - (before - run.memory) > limits.memory, run.steps.count > 1 { run.removeLowest() }
        return (before - run.memory, steps - run.steps.count)
    }
}
