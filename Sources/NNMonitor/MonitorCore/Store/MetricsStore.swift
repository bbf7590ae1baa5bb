/// What the store keeps at most.
package struct StoreLimits: Sendable, Equatable {
    /// Runs held; over it the run whose last update is oldest is evicted.
    package var runs: Int
    /// Steps held of a run; over it the highest stay.
    package var stepsPerRun: Int
    /// Bytes of stored metrics, estimated; over it the oldest run is evicted. 0 means no limit.
    package var memory: Int

    package init(runs: Int = 10, stepsPerRun: Int = 1000, memory: Int = 0) {
        self.runs = runs
        self.stepsPerRun = stepsPerRun
        self.memory = memory
    }
}

/// All runs, in memory. It knows nobody: who wants to hear of a step is told by the caller of `append`.
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
    package func append(_ decoded: DecodedStep) -> StoredStep {
        let now = moment()
        sequence += 1
        let id = decoded.runID
        let place = runs.place(of: id) ?? begin(id, at: now)
        let (record, kept, growth) = runs.update(place) { keep(decoded, in: &$0, at: now) }
        memory += growth
        enforceMemoryLimit(keeping: place)
        return StoredStep(sequence: sequence, runID: id, record: record, kept: kept)
    }

    /// Forgets a run. A step of it that comes later begins a new run.
    ///
    /// - Returns: what subscribers are told; `nil` when the run is not held.
    package func remove(_ id: String) -> RemovedRun? {
        guard let run = runs.remove(id) else { return nil }
        memory -= run.memory
        sequence += 1
        return RemovedRun(sequence: sequence, runID: id)
    }

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
    package func snapshot(of id: String) -> RunSnapshot? {
        guard let run = runs[id] else { return nil }
        return RunSnapshot(
            id: id, createdAt: run.createdAt, lastUpdate: run.lastUpdate, steps: run.steps, sequence: sequence)
    }

    /// The highest step of a run; `nil` when the run is not held.
    package func latest(of id: String) -> StepRecord? { runs[id]?.steps.last }

    /// Estimated bytes of everything held.
    package var memoryInUse: Int { memory }

    private func keep(
        _ decoded: DecodedStep, in run: inout Run, at now: UTCTime
    ) -> (record: StepRecord, kept: Bool, growth: Int) {
        let before = run.memory
        let record = run.record(decoded)
        let kept = run.keep(record, limit: limits.stepsPerRun)
        run.lastUpdate = now
        return (record, kept, run.memory - before)
    }

    /// The present moment, never the same or an earlier one than the last: `last_update` orders evictions, and clocks
    /// are set back.
    private func moment() -> UTCTime {
        lastMoment = max(clock(), UTCTime(microseconds: lastMoment.microseconds &+ 1))
        return lastMoment
    }

    /// Makes room for a run, and begins it.
    private func begin(_ id: String, at now: UTCTime) -> RunTable.Place {
        while runs.count >= limits.runs { evictOldest() }
        return runs.add(Run(createdAt: now), id: id)
    }

    private func evictOldest() { memory -= runs.removeOldest()?.memory ?? 0 }

    /// Evicts the oldest other runs; when the run alone, which was updated last, is over the limit, its lowest steps, but
    /// never the last one.
    private func enforceMemoryLimit(keeping place: RunTable.Place) {
        guard limits.memory > 0 else { return }
        while memory > limits.memory && runs.count > 1 { evictOldest() }
        if memory > limits.memory { memory -= runs.update(place) { trim(&$0) } }
    }

    /// Drops the lowest steps of a run until the limit is met or one step is left.
    ///
    /// - Returns: the bytes that this freed.
    private func trim(_ run: inout Run) -> Int {
        let before = run.memory
        while memory - (before - run.memory) > limits.memory, run.steps.count > 1 { run.removeLowest() }
        return before - run.memory
    }
}
