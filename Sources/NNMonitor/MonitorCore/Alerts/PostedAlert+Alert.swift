import Foundations

extension PostedAlert {
    /// The alert and its episode, which are closed at once.
    ///
    /// - Parameters:
    ///   - id: identifies the alert in the run.
    ///   - episode: identifies the episode in the run.
    ///   - lastSeq: the `seq` of the run's last accepted step.
    ///   - time: when it was posted.
    /// - Returns: what changed.
    package func closed(id: UInt64, episode: UInt64, lastSeq: UInt64, at time: UTCTime) -> HealthChanges {
        let seconds = Double(time.microseconds) / 1_000_000
        let title = String(decoding: self.title, as: UTF8.self)
        let message = text.map { String(decoding: $0, as: UTF8.self) }
        var alert = Alert(
            id: id, episode: episode, source: .trainer, rule: nil, severity: level, seq: lastSeq, time: seconds,
            title: title)
        alert.isOpen = false
        alert.firstStep = step
        alert.openedStep = step
        alert.lastStep = step
        alert.closedStep = step
        alert.closedAt = seconds
        alert.message = message
        var whole = AlertEpisode(id: episode, severity: level, kind: "trainer", openedAt: seconds, title: title)
        whole.isOpen = false
        whole.alerts = [id]
        whole.firstStep = step
        whole.openedStep = step
        whole.lastStep = step
        whole.closedStep = step
        whole.closedAt = seconds
        whole.message = message
        var changes = HealthChanges()
        changes.alerts = [alert]
        changes.notices = [EpisodeNotice(.opened, episode: whole, alerts: [alert])]
        return changes
    }
}

/// An observer without rules: it numbers the alerts of the trainer.
package struct NoRules: RunObserver {
    private var lastAlert: UInt64 = 0

    /// No alerts.
    package init() {}

    /// Finds nothing.
    package mutating func observe(
        _ step: StepRecord, isBelowKeptSteps: Bool, kept: StepSequence, context: RunContext
    ) -> HealthChanges { HealthChanges() }

    /// Closes nothing.
    package mutating func goBack(to step: Int64, lastSeq: UInt64, at time: UTCTime) -> HealthChanges {
        HealthChanges()
    }

    /// Closes the alert at once.
    package mutating func note(_ alert: PostedAlert, lastSeq: UInt64, at time: UTCTime) -> HealthChanges {
        lastAlert += 1
        return alert.closed(id: lastAlert, episode: lastAlert, lastSeq: lastSeq, at: time)
    }

    /// None.
    package var openAlerts: AlertCounts { AlertCounts() }
    /// It holds nothing that is worth counting.
    package var memory: Int { 0 }
    /// Nothing was found.
    package func report(context: RunContext) -> HealthReport { HealthReport() }
}
