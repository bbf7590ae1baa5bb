/// A step that the store has accepted.
package struct StoredStep: Sendable {
    /// Position in the order in which the store accepted steps and removed runs, over all runs: 1, 2, 3, … without gaps.
    package let sequence: UInt64
    /// The run it belongs to.
    package let runID: RunID
    /// The step itself.
    package let record: StepRecord
    /// Whether it is held: a step lower than all held ones of a full run is accepted, broadcast and not held.
    package let kept: Bool
}

/// Why a run is no longer held.
package enum RemovalReason: Sendable {
    /// A client deleted it.
    case deleted
    /// A new run came while as many runs were held as are allowed.
    case runLimit
    /// The stored metrics took more memory than is allowed.
    case memoryLimit

    /// The reason as subscribers get it.
    package var name: String {
        switch self {
        case .deleted: "deleted"
        case .runLimit, .memoryLimit: "evicted"
        }
    }
}

/// A run that the store no longer holds.
package struct RemovedRun: Sendable {
    /// Position in the order in which the store accepted steps and removed runs.
    package let sequence: UInt64
    /// The run's id, as it was posted.
    package let runID: RunID
    /// Why it was removed.
    package let reason: RemovalReason
    /// How many steps it had.
    package let stepCount: Int
}

/// Everything that accepting one step did.
package struct AppendOutcome: Sendable {
    /// The step that was accepted.
    package let step: StoredStep
    /// Lower steps of the run that were dropped because it has as many as are allowed.
    package let droppedForStepLimit: Int
    /// Lower steps of the run that were dropped because the run alone takes more memory than is allowed.
    package let droppedForMemory: Int
    /// Runs that were evicted. Those of the run limit come before the step in the store's order, the others after it.
    package let evicted: [RemovedRun]

    /// Whether anything that a client posted is not, or no longer, held.
    package var lostAnything: Bool {
        !step.kept || droppedForStepLimit > 0 || droppedForMemory > 0 || !evicted.isEmpty
    }
}

/// Something that the store did, and its place in the order of all that it did.
package enum StoreEvent: Sendable {
    case stored(StoredStep)
    case removed(RemovedRun)

    var sequence: UInt64 {
        switch self {
        case .stored(let step): step.sequence
        case .removed(let run): run.sequence
        }
    }

    var runID: RunID {
        switch self {
        case .stored(let step): step.runID
        case .removed(let run): run.runID
        }
    }
}
