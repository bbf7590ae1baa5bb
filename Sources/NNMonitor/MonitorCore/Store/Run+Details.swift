/// Changes of a run's details.
extension Run {
    /// Notes an accepted step.
    ///
    /// - Parameters:
    ///   - record: the step.
    ///   - followsInBody: `DecodedStep.followsInBody`.
    ///   - placement: what `keep` returned for it.
    ///   - now: the current time.
    mutating func note(
        _ record: StepRecord, followsInBody: Bool = false, _ placement: Placement, at now: UTCTime
    ) {
        let needsMetrics = record.columns.layout.isV1 && !details.names.hasAllV1Metrics
        change { details in
            details.pace.noteStep(at: now, followsInBody: followsInBody)
            if needsMetrics { details.names.noteV1Metrics(record) }
            if !placement.isKept { details.eventList.noteRestart(record.step, at: now) }
            if placement.dropped > 0 {
                details.eventList.noteDrop(placement.dropped, upTo: placement.lastDropped, .stepLimit, at: now)
            }
        }
        takeStructure(of: record)
    }

    /// Applies an update.
    ///
    /// - Parameters:
    ///   - update: the update.
    ///   - config: the config after merging.
    ///   - now: the current time.
    /// - Returns: whether it changed anything, the number of kept steps that it dropped, and the alerts that changed.
    mutating func apply(
        _ update: RunUpdate, config: RunConfig, at now: UTCTime
    ) -> (hasChanged: Bool, dropped: Int, health: HealthChanges) {
        let before = details.info
        var dropped = 0
        var health = HealthChanges()
        if let step = update.resumeFrom {
            dropped = goBack(to: step)
            let lastSeq = lastSeq
            health = observe { $0.goBack(to: step, lastSeq: lastSeq, at: now) }
            change { $0.eventList.append(RunEvent(time: now, kind: .resumed(step: step, dropped: dropped))) }
        }
        change { details in
            details.info.apply(update, config: config, at: now)
            if !update.isDescription { details.pace.noteSign(at: now) }
            let info = details.info
            details.context = info.context
            if info.state != before.state {
                let kind = RunEvent.Kind.state(info.state, exitCode: info.exitCode, reason: info.reason)
                details.eventList.append(RunEvent(time: now, kind: kind))
            }
        }
        return (update.resumeFrom != nil || details.info != before, dropped, health)
    }

    /// Notes an alert of the trainer.
    ///
    /// - Returns: what it changed.
    mutating func note(_ alert: PostedAlert, at now: UTCTime) -> HealthChanges {
        let (lastSeq, lastUpdate) = (lastSeq, now)
        let changes = observe { $0.note(alert, lastSeq: lastSeq, at: lastUpdate) }
        change { details in
            details.pace.noteSign(at: now)
            let number = changes.alerts.first?.id ?? 0
            details.eventList.append(RunEvent(time: now, kind: .alert(alert, number: number)))
        }
        return changes
    }

    /// Frees memory: drops the lowest steps, but never the last one, and then the oldest events.
    ///
    /// - Parameters:
    ///   - bytes: how much.
    ///   - archiveLimit: the largest size of the buckets of dropped steps.
    ///   - now: the current time.
    /// - Returns: the number of dropped steps.
    mutating func free(_ bytes: Int, archiveLimit: Int, at now: UTCTime) -> Int {
        let goal = memory - bytes
        var dropped = 0
        if steps.count > 1, let lowest = steps.first {
            // The event takes memory itself, so it is noted before steps are dropped.
            var last = lowest.step
            change { $0.eventList.noteDrop(0, upTo: last, .memoryLimit, at: now) }
            while memory > goal, steps.count > 1, let removed = removeLowest() {
                dropped += 1
                last = removed.step
                while series.archiveMemory > archiveLimit { shrinkArchive() }
            }
            change { $0.eventList.noteDrop(dropped, upTo: last, .memoryLimit, at: now) }
        }
        while memory > goal, !details.events.isEmpty { change { $0.eventList.removeFirst() } }
        return dropped
    }
}
