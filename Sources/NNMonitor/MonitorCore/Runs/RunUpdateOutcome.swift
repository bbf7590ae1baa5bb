/// All effects of an update of a run.
package struct RunUpdateOutcome: Sendable {
    /// The run after the update.
    package let run: RunDescription
    /// Whether the update began the run.
    package let hasBegun: Bool
    /// The events to publish: one for each sequence number that the update took.
    package let events: [StoreEvent]
    /// The runs that were evicted for it; `events` has them too.
    package let evicted: [RemovedRun]

    /// - Parameters:
    ///   - run: the run after the update.
    ///   - hasBegun: whether the update began the run.
    ///   - events: one for each sequence number that the update took.
    ///   - evicted: the runs that were evicted for it.
    package init(run: RunDescription, hasBegun: Bool, events: [StoreEvent], evicted: [RemovedRun] = []) {
        self.run = run
        self.hasBegun = hasBegun
        self.events = events
        self.evicted = evicted
    }
}
