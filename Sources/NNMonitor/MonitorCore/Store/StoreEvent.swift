/// A step that the store has accepted.
package struct StoredStep: Sendable {
    /// Position in the order in which the store accepted steps and removals, over all runs: 1, 2, 3, … without gaps.
    package let sequence: UInt64
    /// The run it belongs to.
    package let runID: String
    /// The step itself.
    package let record: StepRecord
    /// Whether it is held: a step lower than all held ones of a full run is accepted, broadcast and not held.
    package let kept: Bool
}

/// A run that somebody had the store forget.
package struct RemovedRun: Sendable {
    /// Position in the order in which the store accepted steps and removals.
    package let sequence: UInt64
    /// The run's id, as it was posted.
    package let runID: String
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

    var runID: String {
        switch self {
        case .stored(let step): step.runID
        case .removed(let run): run.runID
        }
    }
}
