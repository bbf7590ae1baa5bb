import Foundations
import Logging
import MonitorCore
import NIOCore

/// Logs evicted runs and dropped steps, so that no accepted step disappears silently.
///
/// There is at most one line of a kind for a run and minute. Each line has the totals since the start, which include
/// the losses that got no line.
final class LossLog: Sendable {
    /// The kind of loss.
    private enum Kind: Hashable {
        case runEvicted, stepTooLow, stepsDroppedForLimit, stepsDroppedForMemory
    }

    private struct Key: Hashable {
        let kind: Kind
        let runID: RunID
    }

    private struct State {
        /// When each key had its last line. Entries older than `interval` have no effect.
        var lines: [Key: NIODeadline] = [:]
        var evictedRuns = 0
        var stepsNotKept = 0
    }

    /// The shortest time between two lines of one kind for one run.
    private static let interval = TimeAmount.minutes(1)
    /// The largest number of lines within `interval` over all runs. It bounds the memory and the log.
    private static let maximumLines = 1000

    private let logger: Logger
    private let limits: StoreLimits
    private let clock: @Sendable () -> NIODeadline
    private let state = Locked(State())

    /// - Parameters:
    ///   - logger: gets the lines.
    ///   - limits: the limits of the store, for the lines.
    ///   - clock: monotonic time; tests pass their own.
    init(logger: Logger, limits: StoreLimits, clock: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.logger = logger
        self.limits = limits
        self.clock = clock
    }

    /// Counts the runs and steps that an append dropped, and logs them if a line is due.
    func note(_ outcome: AppendOutcome) {
        for run in outcome.evicted { noteEviction(run) }
        let step = outcome.step
        if outcome.reason == .belowKeptSteps {
            noteSteps(
                1, .stepTooLow, of: step.runID, step.record.step,
                "a step was not kept: the run has its maximum number of steps, and all are higher; "
                    + "for a restarted training put resume_from, or use a new run_id")
        }
        if outcome.droppedForStepLimit > 0 {
            noteSteps(
                outcome.droppedForStepLimit, .stepsDroppedForLimit, of: step.runID, step.record.step,
                "the lowest steps of a run were dropped: the run exceeded the maximum number of steps of a run")
        }
        noteMemory(outcome.droppedForMemory, of: step.runID, step.record.step)
    }

    /// Counts the runs and steps that an update or an alert dropped, and logs them if a line is due.
    func note(_ outcome: RunUpdateOutcome) {
        for run in outcome.evicted { noteEviction(run) }
        noteMemory(outcome.droppedForMemory, of: outcome.run.id)
    }

    private func noteMemory(_ dropped: Int, of runID: RunID, _ step: Int64? = nil) {
        guard dropped > 0 else { return }
        noteSteps(
            dropped, .stepsDroppedForMemory, of: runID, step,
            "the lowest steps of a run were dropped: the run alone exceeded the memory limit")
    }

    private func noteEviction(_ run: RemovedRun) {
        let total: Int? = state.withLock { state in
            state.evictedRuns += 1
            return isDue(Key(kind: .runEvicted, runID: run.runID), &state) ? state.evictedRuns : nil
        }
        guard let total else { return }
        var metadata: Logger.Metadata = [
            "run_id": "\(run.runID)", "steps": "\(run.stepCount)", "evicted_runs": "\(total)",
        ]
        if case .memoryLimit = run.reason {
            metadata["max_memory"] = "\(limits.memory)"
            logger.notice("a run was evicted: the stored metrics exceeded the memory limit", metadata: metadata)
        } else {
            metadata["max_runs"] = "\(limits.runs)"
            logger.notice(
                "a run was evicted: a new run started while the server held the maximum number of runs",
                metadata: metadata)
        }
    }

    private func noteSteps(_ count: Int, _ kind: Kind, of runID: RunID, _ step: Int64?, _ message: String) {
        let total: Int? = state.withLock { state in
            state.stepsNotKept += count
            return isDue(Key(kind: kind, runID: runID), &state) ? state.stepsNotKept : nil
        }
        guard let total else { return }
        var metadata: Logger.Metadata = ["run_id": "\(runID)", "steps_not_kept": "\(total)"]
        if let step { metadata["step"] = "\(step)" }
        if kind == .stepsDroppedForMemory {
            metadata["max_memory"] = "\(limits.memory)"
        } else {
            metadata["max_steps_per_run"] = "\(limits.stepsPerRun)"
        }
        logger.notice("\(message)", metadata: metadata)
    }

    /// Whether a line may be logged now. If so, its time is recorded.
    private func isDue(_ key: Key, _ state: inout State) -> Bool {
        let now = clock()
        if let last = state.lines[key], now - last < Self.interval { return false }
        if state.lines.count >= Self.maximumLines {
            state.lines = state.lines.filter { now - $0.value < Self.interval }
            if state.lines.count >= Self.maximumLines, state.lines[key] == nil { return false }
        }
        state.lines[key] = now
        return true
    }
}
