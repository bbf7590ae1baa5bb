/// A step that the store has accepted.
package struct StoredStep: Sendable {
    /// The sequence number of this change: 1, 2, 3, … without gaps, over all runs.
    package let sequence: UInt64
    /// The run's id, as it was posted.
    package let runID: RunID
    /// The step itself.
    package let record: StepRecord
    /// Whether the store holds the step. A step below all steps of a full run is accepted and broadcast, but not held.
    package let kept: Bool

    /// - Parameters:
    ///   - sequence: the sequence number of this change.
    ///   - runID: the run's id, as it was posted.
    ///   - record: the step itself.
    ///   - kept: whether the store holds the step.
    package init(sequence: UInt64, runID: RunID, record: StepRecord, kept: Bool) {
        self.sequence = sequence
        self.runID = runID
        self.record = record
        self.kept = kept
    }
}

/// Why a run was removed.
package enum RemovalReason: Sendable {
    /// A client deleted it.
    case deleted
    /// The store held as many runs as allowed when a new one began.
    case runLimit
    /// The stored metrics exceeded the memory limit.
    case memoryLimit

    /// The `reason` of the `run_deleted` message (API.md, "WebSocket: GET /ws").
    package var name: String {
        switch self {
        case .deleted: "deleted"
        case .runLimit, .memoryLimit: "evicted"
        }
    }
}

/// A run that the store has removed.
package struct RemovedRun: Sendable {
    /// The sequence number of this change.
    package let sequence: UInt64
    /// The run's id, as it was posted.
    package let runID: RunID
    /// Why it was removed.
    package let reason: RemovalReason
    /// The number of steps it had.
    package let stepCount: Int

    /// - Parameters:
    ///   - sequence: the sequence number of this change.
    ///   - runID: the run's id, as it was posted.
    ///   - reason: why it was removed.
    ///   - stepCount: the number of steps it had.
    package init(sequence: UInt64, runID: RunID, reason: RemovalReason, stepCount: Int) {
        self.sequence = sequence
        self.runID = runID
        self.reason = reason
        self.stepCount = stepCount
    }
}

/// A change of a run that is neither a step nor its removal.
package struct RunChange: Sendable {
    /// The sequence number of this change.
    package let sequence: UInt64
    /// The run after the change.
    package let run: RunDescription
    /// Whether the run begins.
    package let hasBegun: Bool
    /// Whether only steps came, which subscribers get as steps unless they watch in the form `runs`.
    package let isProgress: Bool

    /// - Parameters:
    ///   - sequence: the sequence number of this change.
    ///   - run: the run after the change.
    ///   - hasBegun: whether the run begins.
    ///   - isProgress: whether only steps came.
    package init(sequence: UInt64, run: RunDescription, hasBegun: Bool = false, isProgress: Bool = false) {
        self.sequence = sequence
        self.run = run
        self.hasBegun = hasBegun
        self.isProgress = isProgress
    }
}

/// Kept steps of a run that were dropped because the training went back.
package struct RunReset: Sendable {
    /// The sequence number of this change.
    package let sequence: UInt64
    /// The run's id, as it was posted.
    package let runID: RunID
    /// The step from which on the kept steps were dropped.
    package let fromStep: Int64

    /// - Parameters:
    ///   - sequence: the sequence number of this change.
    ///   - runID: the run's id, as it was posted.
    ///   - fromStep: the step from which on the kept steps were dropped.
    package init(sequence: UInt64, runID: RunID, fromStep: Int64) {
        self.sequence = sequence
        self.runID = runID
        self.fromStep = fromStep
    }
}

/// Why an accepted step is not kept.
package enum NotKeptReason: Sendable, Hashable {
    /// The run has as many steps as allowed, all of them higher.
    case belowKeptSteps
    /// The run alone exceeds the memory limit.
    case memory

    /// The `reason` in the response to the post.
    package var name: String {
        switch self {
        case .belowKeptSteps: "below_kept_steps"
        case .memory: "memory"
        }
    }
}

/// All effects of accepting one step.
package struct AppendOutcome: Sendable {
    /// The accepted step.
    package let step: StoredStep
    /// Why the step is not kept; `nil` if it is.
    package let reason: NotKeptReason?
    /// One sentence for each name of the step that was ignored, at most ten.
    package let warnings: [String]
    /// Changes of the run that came with the step: it began, or it is no longer silent.
    package let changes: [RunChange]
    /// The number of lower steps of the run dropped because of `StoreLimits.stepsPerRun`.
    package let droppedForStepLimit: Int
    /// The number of lower steps of the run dropped because the run alone exceeded `StoreLimits.memory`.
    package let droppedForMemory: Int
    /// The alerts that the step opened, escalated or closed, and the change of the run that follows from them.
    package let alerts: [StoreEvent]
    /// What happened to episodes of alerts.
    package let notices: [EpisodeNotice]
    /// The evicted runs. Those evicted for the run limit have lower sequence numbers than the step, the others higher
    /// ones.
    package let evicted: [RemovedRun]

    /// - Parameters:
    ///   - step: the accepted step.
    ///   - reason: why the step is not kept; `nil` if it is.
    ///   - warnings: one sentence for each name of the step that was ignored, at most ten.
    ///   - changes: changes of the run that came with the step.
    ///   - alerts: the alerts that the step opened, escalated or closed, and the change of the run.
    ///   - notices: what happened to episodes of alerts.
    ///   - droppedForStepLimit: the number of lower steps dropped because the run has too many.
    ///   - droppedForMemory: the number of lower steps dropped because the run alone takes too much memory.
    ///   - evicted: the evicted runs.
    package init(
        step: StoredStep, reason: NotKeptReason? = nil, warnings: [String] = [], changes: [RunChange] = [],
        alerts: [StoreEvent] = [], notices: [EpisodeNotice] = [], droppedForStepLimit: Int = 0,
        droppedForMemory: Int = 0, evicted: [RemovedRun] = []
    ) {
        self.step = step
        self.reason = reason
        self.warnings = warnings
        self.changes = changes
        self.alerts = alerts
        self.notices = notices
        self.droppedForStepLimit = droppedForStepLimit
        self.droppedForMemory = droppedForMemory
        self.evicted = evicted
    }

    /// The number of this change of the run.
    package var seq: UInt64 { step.record.seq }

    /// The events to publish: one for each sequence number that the step took.
    package var events: [StoreEvent] {
        evicted.map(StoreEvent.removed) + changes.map(StoreEvent.run) + [.stored(step)] + alerts
    }

    /// Whether anything that a client posted was not stored, or was dropped.
    package var lostAnything: Bool {
        !step.kept || droppedForStepLimit > 0 || droppedForMemory > 0 || !evicted.isEmpty
    }
}

/// The effects of several steps that were appended in one call.
package struct AppendedSteps: Sendable {
    /// The effects of the stored steps: of all, or of those before the failure.
    package var outcomes: [AppendOutcome] = []
    /// Why the step after those was not stored; `nil` if all were.
    package var failure: StoreError?

    /// No steps yet.
    ///
    /// - Parameter capacity: the number of steps that will be appended.
    package init(capacity: Int) { outcomes.reserveCapacity(capacity) }

    /// The events to publish: one for each sequence number that the call took.
    package var events: [StoreEvent] { outcomes.flatMap(\.events) + (failure?.events ?? []) }
}

/// One change in the store, at its position in the order of all changes.
package enum StoreEvent: Sendable {
    /// A step was stored.
    case stored(StoredStep)
    /// A run was removed.
    case removed(RemovedRun)
    /// A run began or changed. Indirect: it is much larger than the other events, and tasks reserve space for any
    /// event.
    indirect case run(RunChange)
    /// An alert of a run was opened, escalated or closed. Indirect, as a run is.
    indirect case alert(RunAlert)
    /// Kept steps of a run were dropped, because its training went back.
    case reset(RunReset)
    /// A call took this sequence number and then failed: nothing happened, and subscribers get no message. The
    /// broadcaster must know, since it waits for every number.
    case void(sequence: UInt64)

    var sequence: UInt64 {
        switch self {
        case .stored(let step): step.sequence
        case .removed(let run): run.sequence
        case .run(let change): change.sequence
        case .alert(let alert): alert.sequence
        case .reset(let reset): reset.sequence
        case .void(let sequence): sequence
        }
    }

    /// The number of the step in its run; `nil` for an event that is not a step.
    var seq: UInt64? {
        if case .stored(let step) = self { step.record.seq } else { nil }
    }

    /// Whether a later history of the run contains the event: its steps, and that earlier ones were dropped.
    var isInHistory: Bool {
        switch self {
        case .stored, .removed, .reset, .void: true
        case .run, .alert: false
        }
    }

    /// The run that the event concerns; `nil` if it has no message.
    var runID: RunID? {
        switch self {
        case .stored(let step): step.runID
        case .removed(let run): run.runID
        case .run(let change): change.run.id
        case .alert(let alert): alert.runID
        case .reset(let reset): reset.runID
        case .void: nil
        }
    }
}
