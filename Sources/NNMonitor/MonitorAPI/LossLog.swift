import Foundations
import Logging
import MonitorCore
import NIOCore

/// Logs what the store evicted or did not keep, so that no accepted step disappears without a trace.
///
/// A run gets at most one line of a kind a minute. Each line has the totals since the start, so that a line that was left
/// out is counted in the next one.
final class LossLog: Sendable {
    /// What happened to a step or a run.
    private enum Kind: Hashable {
        case runEvicted, stepTooLow, stepsDroppedForLimit, stepsDroppedForMemory
    }

    private struct Key: Hashable {
        let kind: Kind
        let runID: RunID
    }

    private struct State {
        /// When each key had its last line. Entries older than `interval` mean nothing.
        var lines: [Key: NIODeadline] = [:]
        var evictedRuns = 0
        var stepsNotKept = 0
    }

    /// The least time between two lines of one kind about one run.
    private static let interval = TimeAmount.minutes(1)
    /// Lines within `interval` at most, whatever the number of runs: memory and log are bounded.
    private static let maximumLines = 1000

    private let logger: Logger
    private let limits: StoreLimits
    private let clock: @Sendable () -> NIODeadline
    private let state = Guarded(State())

    /// - Parameters:
    ///   - logger: gets the lines.
    ///   - limits: the store's.
    ///   - clock: monotonic time; a test gives its own.
    init(logger: Logger, limits: StoreLimits, clock: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.logger = logger
        self.limits = limits
        self.clock = clock
    }

    /// Counts everything that accepting a step lost, and logs it where a line is due.
    func note(_ outcome: AppendOutcome) {
        for run in outcome.evicted { noteEviction(run) }
        let step = outcome.step
        if !step.kept {
            noteSteps(
                1, .stepTooLow, of: step,
                "a step was not kept: the run holds as many steps as are allowed, and all of them are higher; "
                    + "a training that starts again needs a run_id of its own")
        }
        if outcome.droppedForStepLimit > 0 {
            noteSteps(
                outcome.droppedForStepLimit, .stepsDroppedForLimit, of: step,
                "the lowest steps of a run were dropped: it holds as many steps as are allowed")
        }
        if outcome.droppedForMemory > 0 {
            noteSteps(
                outcome.droppedForMemory, .stepsDroppedForMemory, of: step,
                "the lowest steps of a run were dropped: it takes more memory than is allowed by itself")
        }
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
            logger.notice("a run was evicted: the stored metrics take more memory than is allowed", metadata: metadata)
        } else {
            metadata["max_runs"] = "\(limits.runs)"
            logger.notice("a run was evicted: a new run came, and as many are held as are allowed", metadata: metadata)
        }
    }

    private func noteSteps(_ count: Int, _ kind: Kind, of step: StoredStep, _ message: String) {
        let total: Int? = state.withLock { state in
            state.stepsNotKept += count
            return isDue(Key(kind: kind, runID: step.runID), &state) ? state.stepsNotKept : nil
        }
        guard let total else { return }
        var metadata: Logger.Metadata = [
            "run_id": "\(step.runID)", "step": "\(step.record.step)", "steps_not_kept": "\(total)",
        ]
        if kind == .stepsDroppedForMemory {
            metadata["max_memory"] = "\(limits.memory)"
        } else {
            metadata["max_steps_per_run"] = "\(limits.stepsPerRun)"
        }
        logger.notice("\(message)", metadata: metadata)
    }

    /// Whether a line may be logged now; if so, it is noted.
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
