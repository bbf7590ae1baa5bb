/// All effects of an update of a run, or of an alert of its trainer.
package struct RunUpdateOutcome: Sendable {
    /// The run after the update.
    package let run: RunDescription
    /// Whether the update began the run.
    package let hasBegun: Bool
    /// The events to publish: one for each sequence number that the update took.
    package let events: [StoreEvent]
    /// What happened to episodes of alerts.
    package let notices: [EpisodeNotice]
    /// The number of lower steps of the run dropped because the run alone exceeded `StoreLimits.memory`.
    package let droppedForMemory: Int
    /// The runs that were evicted for it; `events` has them too.
    package let evicted: [RemovedRun]

    /// - Parameters:
    ///   - run: the run after the update.
    ///   - hasBegun: whether the update began the run.
    ///   - events: one for each sequence number that the update took.
    ///   - notices: what happened to episodes of alerts.
    ///   - droppedForMemory: the number of lower steps dropped because the run alone takes too much memory.
    ///   - evicted: the runs that were evicted for it.
    package init(
        run: RunDescription, hasBegun: Bool, events: [StoreEvent], notices: [EpisodeNotice] = [],
        droppedForMemory: Int = 0,
        evicted: [RemovedRun] = []
    ) {
        self.run = run
        self.hasBegun = hasBegun
        self.events = events
        self.notices = notices
        self.droppedForMemory = droppedForMemory
        self.evicted = evicted
    }
}
