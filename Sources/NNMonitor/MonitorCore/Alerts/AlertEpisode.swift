package import Foundations

/// One fault with all its alerts: what a message to people is about (EPISODE in SCHEMA.md).
package struct AlertEpisode: Sendable {
    /// Where the fault probably began.
    package struct Origin: Sendable {
        /// The layer's id as it is served; `nil` where every layer began in the same report.
        package var layer: ByteString?
        /// The layer's depth.
        package var depth: Int64?
        /// The name of the rule.
        package var rule: String
        /// The alert.
        package var alert: UInt64
        /// The step at which its values became abnormal.
        package var step: Int64?
        /// Why this layer is named.
        package var reason: String

        /// - Parameters:
        ///   - layer: the layer's id as it is served; `nil` where every layer began in the same report.
        ///   - depth: the layer's depth.
        ///   - rule: the name of the rule.
        ///   - alert: the alert.
        ///   - step: the step at which its values became abnormal.
        ///   - reason: why this layer is named.
        package init(
            layer: ByteString?, depth: Int64?, rule: String, alert: UInt64, step: Int64?, reason: String
        ) {
            self.layer = layer
            self.depth = depth
            self.rule = rule
            self.alert = alert
            self.step = step
            self.reason = reason
        }
    }

    /// Identifies the episode in the run; never used again.
    package let id: UInt64
    /// Whether one of its alerts is open.
    package var isOpen = true
    /// The worst severity of its alerts so far.
    package var severity: AlertLevel
    /// The rule of the origin; where only rules on the run are broken, the first of them; `trainer` for a posted alert.
    package var kind: String
    /// Where the fault probably began; `nil` where only rules on the run are broken.
    package var origin: Origin?
    /// The broken rules, in the order in which they were broken.
    package var rules: [String] = []
    /// The ids of the first layers, at most 100, in the order in which they fell ill.
    package var layers: [ByteString] = []
    /// The number of layers.
    package var layerCount = 0
    /// The ids of its first alerts, at most 100.
    package var alerts: [UInt64] = []
    /// The lowest first step of its alerts.
    package var firstStep: Int64?
    /// The step at which its first alert was opened.
    package var openedStep: Int64?
    /// The last step with an abnormal value.
    package var lastStep: Int64?
    /// The step at which its last alert was closed.
    package var closedStep: Int64?
    /// The time of `openedStep`, Unix seconds.
    package var openedAt: Double
    /// The time of `closedStep`, Unix seconds.
    package var closedAt: Double?
    /// One line for people.
    package var title: String
    /// More for people.
    package var message: String?
    /// What people usually do about it.
    package var advice: String?

    /// The largest number of layers and of alerts that are listed.
    package static let maximumListed = 100

    /// - Parameters:
    ///   - id: identifies the episode in the run.
    ///   - severity: how serious it is.
    ///   - kind: the rule of its origin.
    ///   - openedAt: the time of the step at which it is opened, Unix seconds.
    ///   - title: one line for people.
    package init(id: UInt64, severity: AlertLevel, kind: String, openedAt: Double, title: String) {
        self.id = id
        self.severity = severity
        self.kind = kind
        self.openedAt = openedAt
        self.title = title
    }

    /// Bytes that the episode takes in a list, with its texts.
    package var memory: Int {
        MemoryLayout<AlertEpisode>.stride + rules.heapBytes + layers.heapBytes + alerts.heapBytes
            + layers.reduce(0) { $0 + $1.byteCount } + title.utf8.count + (message?.utf8.count ?? 0)
    }
}

/// An event of an episode that is sent to people.
package struct EpisodeNotice: Sendable {
    /// What happened.
    package enum Event: String, Sendable {
        /// Its first alert was opened.
        case opened
        /// It became critical, or its origin moved.
        case escalated
        /// Its last alert was closed.
        case closed
    }

    /// What happened.
    package let event: Event
    /// The run's id, as it was posted.
    package var runID: RunID
    /// The run's project; empty if it has none.
    package var project: String
    /// The run's name; empty if it has none.
    package var name: String
    /// The episode.
    package let episode: AlertEpisode
    /// Its first alerts, at most 10.
    package let alerts: [Alert]

    /// The largest number of alerts.
    package static let maximumAlerts = 10

    /// - Parameters:
    ///   - event: what happened.
    ///   - runID: the run's id, as it was posted.
    ///   - project: the run's project; empty if it has none.
    ///   - name: the run's name; empty if it has none.
    ///   - episode: the episode.
    ///   - alerts: its first alerts, at most 10.
    package init(
        _ event: Event, runID: RunID = "", project: String = "", name: String = "", episode: AlertEpisode,
        alerts: [Alert]
    ) {
        self.event = event
        self.runID = runID
        self.project = project
        self.name = name
        self.episode = episode
        self.alerts = alerts
    }
}
