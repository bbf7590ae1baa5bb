package import Foundations

/// A rule on one layer or on the run, or the word of a trainer (ALERT in SCHEMA.md).
package struct Alert: Sendable {
    /// Who raised it.
    package enum Source: Sendable {
        /// A rule of the server.
        case rule
        /// The trainer posted it.
        case trainer

        /// The value on the wire.
        package var name: String { self == .rule ? "rule" : "trainer" }
    }

    /// How a value that breaks a rule relates to the threshold.
    package enum Comparison: String, Sendable {
        /// The value is above the threshold.
        case above = ">"
        /// The value is below the threshold.
        case below = "<"
        /// The value equals the threshold.
        case equal = "=="
        /// The value is outside two thresholds.
        case outside
        /// The value is NaN or infinite.
        case notFinite = "not_finite"
    }

    /// A number and its name.
    package struct Input: Sendable, Equatable {
        /// The name of the metric or scalar.
        package let name: String
        /// The value.
        package let value: Double

        /// - Parameters:
        ///   - name: the name of the metric or scalar.
        ///   - value: the value.
        package init(name: String, value: Double) {
            self.name = name
            self.value = value
        }
    }

    /// A value of one report.
    package struct Point: Sendable, Equatable {
        /// The step.
        package let step: Int64
        /// The value.
        package let value: Double

        /// - Parameters:
        ///   - step: the step.
        ///   - value: the value.
        package init(step: Int64, value: Double) {
            self.step = step
            self.value = value
        }
    }

    /// Identifies the alert in the run; never used again.
    package let id: UInt64
    /// The episode to which it belongs.
    package let episode: UInt64
    /// Who raised it.
    package let source: Source
    /// The name of the rule; `nil` for a trainer's alert.
    package let rule: String?
    /// The layer's id as it is served; `nil` for the run.
    package let layer: ByteString?
    /// The layer's depth.
    package let depth: Int64?
    /// The worst severity so far.
    package var severity: AlertLevel
    /// Whether it is open.
    package var isOpen = true
    /// The step at which the values became abnormal.
    package var firstStep: Int64?
    /// The step at which it became an alert.
    package var openedStep: Int64?
    /// The step at which it became critical.
    package var escalatedStep: Int64?
    /// The last step with an abnormal value.
    package var lastStep: Int64?
    /// The step at which it was closed.
    package var closedStep: Int64?
    /// The `seq` of `openedStep`.
    package var openedSeq: UInt64
    /// The `seq` of `lastStep`.
    package var lastSeq: UInt64
    /// The time of `openedStep`, Unix seconds.
    package var openedAt: Double
    /// The time of `lastStep`, Unix seconds.
    package var lastAt: Double
    /// The time of `closedStep`, Unix seconds.
    package var closedAt: Double?
    /// The number of reports with an abnormal value.
    package var reports = 0
    /// The metric or scalar that is judged.
    package var metric: String?
    /// Its value at `lastStep`; `MissingValue.number` for none, as in the following.
    package var value = MissingValue.number
    /// Its value at `openedStep`.
    package var openedValue = MissingValue.number
    /// Its worst value.
    package var worstValue = MissingValue.number
    /// The step of `worstValue`.
    package var worstStep: Int64?
    /// How the value relates to the threshold.
    package var comparison: Comparison?
    /// The threshold of `severity`: none, one, or two for `outside`.
    package var threshold: [Double] = []
    /// What the value was before.
    package var baseline = MissingValue.number
    /// The inputs of the rule at `lastStep`.
    package var inputs: [Input] = []
    /// At most 12 values around the opening, ascending.
    package var evidence: [Point] = []
    /// Optional inputs of the rule that were not posted.
    package var inputsMissing: [String] = []
    /// One line for people.
    package var title: String
    /// More for people.
    package var message: String?
    /// What people usually do about it.
    package var advice: String?

    /// - Parameters:
    ///   - id: identifies the alert in the run.
    ///   - episode: the episode to which it belongs.
    ///   - source: who raised it.
    ///   - rule: the name of the rule.
    ///   - layer: the layer's id as it is served; `nil` for the run.
    ///   - depth: the layer's depth.
    ///   - severity: how serious it is.
    ///   - seq: the `seq` of the step at which it is opened.
    ///   - time: the time of that step, Unix seconds.
    ///   - title: one line for people.
    package init(
        id: UInt64, episode: UInt64, source: Source = .rule, rule: String?, layer: ByteString? = nil,
        depth: Int64? = nil, severity: AlertLevel, seq: UInt64, time: Double, title: String
    ) {
        self.id = id
        self.episode = episode
        self.source = source
        self.rule = rule
        self.layer = layer
        self.depth = depth
        self.severity = severity
        openedSeq = seq
        lastSeq = seq
        openedAt = time
        lastAt = time
        self.title = title
    }

    /// The largest number of points in `evidence`.
    package static let maximumEvidence = 12

    /// Bytes that the alert takes in a list, with its texts.
    package var memory: Int {
        MemoryLayout<Alert>.stride + threshold.heapBytes + inputs.heapBytes + evidence.heapBytes
            + (layer?.byteCount ?? 0) + title.utf8.count + (message?.utf8.count ?? 0)
    }
}
