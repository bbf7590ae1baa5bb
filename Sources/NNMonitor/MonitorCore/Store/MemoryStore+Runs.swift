/// What the open wire reads and changes of a run besides its steps.
extension MemoryStore {
    /// The steps of a run that changed after a `seq`.
    package func changes(of id: RunID, after seq: UInt64, createdAt: String?) -> RunChanges? {
        guard let run = runs[id] else { return nil }
        let isKnown =
            seq <= run.lastSeq && seq >= run.details.highestDroppedSeq
            && (run.details.seamSeq == 0 || seq > run.details.seamSeq)
            && (createdAt.map { $0.utf8.elementsEqual(run.createdAt.iso8601.utf8) } ?? true)
        let ledger = run.ledger
        // Beside the copy of the sequence, the selected steps are listed.
        let memory = run.steps.memoryOfCopy + run.steps.count * MemoryLayout<StepRecord>.stride
        return RunChanges(
            id: id, createdAt: run.createdAt, lastUpdate: run.lastUpdate, sequence: sequence, lastSeq: run.lastSeq,
            isReset: !isKnown, steps: ChangedSteps(run.steps, after: isKnown ? seq : 0), memory: memory,
            retained: { ledger?.retained ?? 0 })
    }

    /// Updates what clients report about a run. A new id begins a run without steps.
    package func update(_ id: RunID, with update: RunUpdate) -> Result<RunUpdateOutcome, RejectedPayload> {
        var config = runs[id]?.details.info.config ?? RunConfig()
        if let posted = update.config {
            config = config.merged(with: posted)
            if config.size > RunConfig.maximumSize {
                let kind = PayloadIssue.Kind.configTooLong(maximum: RunConfig.maximumSize, actual: config.size)
                return .failure(RejectedPayload(issues: [PayloadIssue(kind, at: [.key("config")])]))
            }
        }
        let now = moment()
        var evicted: [RemovedRun] = []
        let held = runs.slot(of: id)
        let slot = held ?? begin(id, at: now, &evicted)
        let (hasChanged, dropped, health) = self.update(slot, at: now) { $0.apply(update, config: config, at: now) }
        var events: [StoreEvent] = []
        if dropped > 0, let step = update.resumeFrom {
            events.append(.reset(RunReset(sequence: nextSequence(), runID: id, fromStep: step)))
        }
        let (alerts, notices) = self.events(of: health, slot, at: now, withRun: false)
        events += alerts
        let trimmed = enforceMemoryLimit(keeping: slot, at: now, &evicted)
        if endSilence(slot, at: now) || hasChanged || held == nil {
            events.append(.run(change(slot, at: now, hasBegun: held == nil)))
        }
        return .success(
            RunUpdateOutcome(
                run: description(slot, at: now), hasBegun: held == nil,
                events: evicted.map(StoreEvent.removed) + events, notices: notices, droppedForMemory: trimmed,
                evicted: evicted))
    }

    /// A run without its steps; `nil` if there is no such run.
    package func describe(_ id: RunID) -> RunDescription? {
        runs.slot(of: id).map { description($0, at: currentTime) }
    }

    /// Notes an alert of a run's trainer. It is closed at once.
    package func note(_ alert: PostedAlert, of id: RunID) -> RunUpdateOutcome? {
        guard let slot = runs.slot(of: id) else { return nil }
        let now = moment()
        let health = update(slot, at: now) { $0.note(alert, at: now) }
        var (events, notices) = self.events(of: health, slot, at: now, withRun: false)
        if endSilence(slot, at: now) { events.append(.run(change(slot, at: now))) }
        var evicted: [RemovedRun] = []
        let trimmed = enforceMemoryLimit(keeping: slot, at: now, &evicted)
        return RunUpdateOutcome(
            run: description(slot, at: now), hasBegun: false, events: events + evicted.map(StoreEvent.removed),
            notices: notices,
            droppedForMemory: trimmed, evicted: evicted)
    }

    /// The health of a run, and what is known of the run; `nil` if there is no such run.
    package func health(of id: RunID) -> (report: HealthReport, run: RunDescription)? {
        runs.slot(of: id).map { slot in
            let run = runs[slot]
            return (run.health.observer.report(context: run.details.context), description(slot, at: currentTime))
        }
    }

    /// Finds runs that have become silent since the last call.
    package func noteSilence() -> [StoreEvent] {
        let now = currentTime
        var silent: [RunTable.Slot] = []
        runs.forEachSlot { slot in
            let details = runs[slot].details
            if !details.isReportedSilent, details.isSilent(at: now) { silent.append(slot) }
        }
        return silent.map { slot in
            runs.change(slot) { run in run.change { $0.isReportedSilent = true } }
            return .run(change(slot, at: now))
        }
    }

    /// Finds runs that have got steps since the last call.
    package func noteProgress(since time: UTCTime) -> [StoreEvent] {
        var grown: [RunTable.Slot] = []
        runs.forEachSlot { slot in
            if runs[slot].lastSeq > runs[slot].shownSeq, runs[slot].lastUpdate >= time { grown.append(slot) }
        }
        let now = currentTime
        return grown.map { slot in
            runs.change(slot) { $0.shownSeq = $0.lastSeq }
            return .run(RunChange(sequence: nextSequence(), run: description(slot, at: now), isProgress: true))
        }
    }

    /// Notes that a run is no longer silent.
    ///
    /// - Returns: whether subscribers know it as silent.
    func endSilence(_ slot: RunTable.Slot, at now: UTCTime) -> Bool {
        runs.change(slot) { run in
            guard run.details.isReportedSilent, !run.details.isSilent(at: now) else { return false }
            run.change { $0.isReportedSilent = false }
            return true
        }
    }

    /// The event of a run that began or changed.
    func change(_ slot: RunTable.Slot, at now: UTCTime, hasBegun: Bool = false) -> RunChange {
        RunChange(sequence: nextSequence(), run: description(slot, at: now), hasBegun: hasBegun)
    }

    private func description(_ slot: RunTable.Slot, at now: UTCTime) -> RunDescription {
        RunDescription(runs[slot], id: runs.id(of: slot), at: now)
    }
}
