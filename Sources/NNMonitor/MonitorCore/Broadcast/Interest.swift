/// The form in which a subscriber gets a run's messages.
package enum LiveForm: Sendable, Hashable {
    /// Each step in v1's form, in a `new_metrics` message.
    case nested(StepForm)
    /// Each step in the open wire's form, in a `step` message.
    case columns(OpenStepForm)
    /// No steps: only what the run is, at most once a second.
    case runs
}

/// A run that was added to what a subscriber watches.
package struct AddedRun: Sendable {
    /// The run.
    let run: RunID
    /// What the subscriber watched before.
    let before: Interest
    /// The sequence number of the last event in the form of before.
    let sequence: UInt64
}

/// Which messages a subscriber gets.
package struct Interest: Sendable, Equatable {
    /// The runs that are watched; `nil` for all.
    private var runs: Set<RunID>?
    /// The form of the watched runs.
    private var form = LiveForm.nested(.full)
    /// The runs that were subscribed to since, with their forms.
    private var added: [RunID: LiveForm] = [:]
    /// Whether the subscriber has asked to watch, and so knows the messages of the open wire.
    private var hasWatched = false

    /// What a subscriber gets that has asked for nothing: every run, as v1 serves it.
    package static let all = Interest()

    /// Replaces everything that is watched.
    package mutating func watch(_ runs: Set<RunID>?, form: LiveForm) {
        self.runs = runs
        self.form = form
        added = [:]
        hasWatched = true
    }

    /// Adds a run, until `watch` is called again.
    package mutating func add(_ run: RunID, form: LiveForm) { added[run] = form }

    /// The form of a run's steps; `nil` if the subscriber does not get them.
    package func form(of run: RunID) -> LiveForm? {
        if let form = added[run] { return form }
        if let runs, !runs.contains(run) { return nil }
        return form
    }

    /// Whether the subscriber gets the messages `run` and `alert` of a run.
    package func includesChanges(of run: RunID) -> Bool {
        hasWatched && (runs?.contains(run) ?? true || added[run] != nil)
    }

    /// Whether the subscriber gets runs in the form `runs`.
    package var showsRuns: Bool { form == .runs }

    /// Whether the subscriber gets the message `reset` of a run.
    package func includesResets(of run: RunID) -> Bool { added[run] != nil || includesChanges(of: run) }
}
