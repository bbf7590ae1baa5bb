import Foundations

/// What an observer knows of a run besides its steps. It changes rarely.
package struct RunContext: Sendable, Equatable {
    /// The run's project; empty if it has none.
    package var project = ""
    /// Whether `config.precision` names a half precision.
    package var isHalfPrecision = false

    /// A run without project and config.
    package init() {}
}

/// The numbers of open alerts of a run.
package struct AlertCounts: Sendable, Equatable {
    /// Open warnings.
    package var warning = 0
    /// Open critical alerts.
    package var critical = 0

    /// - Parameters:
    ///   - warning: open warnings.
    ///   - critical: open critical alerts.
    package init(warning: Int = 0, critical: Int = 0) {
        self.warning = warning
        self.critical = critical
    }
}

/// What a step, or the word of a trainer, changed.
package struct HealthChanges: Sendable {
    /// The alerts that were opened, escalated or closed, as they are afterwards.
    package var alerts: [Alert] = []
    /// What happened to episodes, without the run.
    package var notices: [EpisodeNotice] = []

    /// Nothing.
    package init() {}
}

/// Judges the steps of one run in the order in which they were accepted.
///
/// A store has one for each run, and calls it with each accepted step before the step's events are published. So alerts
/// have their place in the order of all changes, and end with the run.
package protocol RunObserver: Sendable {
    /// Judges an accepted step.
    ///
    /// - Parameters:
    ///   - step: the step.
    ///   - isBelowKeptSteps: whether it is not kept because all kept ones are higher: the training has begun again.
    ///   - kept: the kept steps of the run, with this one if it is kept.
    ///   - context: what is known of the run.
    /// - Returns: what changed.
    mutating func observe(
        _ step: StepRecord, isBelowKeptSteps: Bool, kept: StepSequence, context: RunContext
    ) -> HealthChanges

    /// Notes that the training went back to a step.
    mutating func goBack(to step: Int64, lastSeq: UInt64, at time: UTCTime) -> HealthChanges

    /// Notes an alert of the trainer. It is an episode of its own, closed at once.
    mutating func note(_ alert: PostedAlert, lastSeq: UInt64, at time: UTCTime) -> HealthChanges

    /// The numbers of open alerts.
    var openAlerts: AlertCounts { get }

    /// Bytes of everything that the observer holds.
    var memory: Int { get }

    /// The findings so far.
    func report(context: RunContext) -> HealthReport
}

/// The health of a run (SCHEMA.md, "Health").
package struct HealthReport: Sendable {
    /// The last judged step.
    package struct Moment: Sendable {
        /// Its number.
        package let step: Int64
        /// Its `seq`: every step up to it is judged.
        package let seq: UInt64
        /// Its time, Unix seconds.
        package let time: Double

        /// - Parameters:
        ///   - step: the number of the step.
        ///   - seq: its `seq`.
        ///   - time: its time, Unix seconds.
        package init(step: Int64, seq: UInt64, time: Double) {
            self.step = step
            self.seq = seq
            self.time = time
        }
    }

    /// What a rule does at present.
    package enum RuleState: String, Sendable {
        /// It judges.
        case running
        /// It has its inputs, but not yet enough reports.
        case warmingUp = "warming_up"
        /// Inputs that it needs were never posted.
        case inputsMissing = "inputs_missing"
        /// The settings turn it off.
        case off
    }

    /// A rule.
    package struct Rule: Sendable {
        /// Its name.
        package let name: String
        /// Whether it judges each layer, or the run.
        package let isOfLayers: Bool
        /// What it does at present.
        package let state: RuleState
        /// The metrics and scalars that it reads.
        package let inputs: [String]
        /// Those of them that were never posted.
        package let inputsMissing: [String]
        /// The number of layers of the last step with layers for which they were not posted.
        package let layersMissing: Int
        /// What to post to get the rule; `nil` if nothing is missing.
        package let hint: String?

        /// - Parameters:
        ///   - name: its name.
        ///   - isOfLayers: whether it judges each layer, or the run.
        ///   - state: what it does at present.
        ///   - inputs: the metrics and scalars that it reads.
        ///   - inputsMissing: those of them that were never posted.
        ///   - layersMissing: the number of layers for which they were not posted.
        ///   - hint: what to post to get the rule; `nil` if nothing is missing.
        package init(
            name: String, isOfLayers: Bool, state: RuleState, inputs: [String], inputsMissing: [String],
            layersMissing: Int, hint: String?
        ) {
            self.name = name
            self.isOfLayers = isOfLayers
            self.state = state
            self.inputs = inputs
            self.inputsMissing = inputsMissing
            self.layersMissing = layersMissing
            self.hint = hint
        }
    }

    /// The last judged step; `nil` if there is none.
    package var moment: Moment?
    /// The number of reports: steps with metrics of layers, or with a loss where the run has no layers.
    package var reports = 0
    /// Whether a rule could judge already.
    package var hasJudged = false
    /// The episodes: open ones, then the closed ones, the newest first.
    package var episodes: [AlertEpisode] = []
    /// The alerts: open ones, then the closed ones, the newest first.
    package var alerts: [Alert] = []
    /// The rules.
    package var rules: [Rule] = []
    /// The number of closed alerts that are no longer listed.
    package var forgotten: UInt64 = 0

    /// Nothing.
    package init() {}
}
