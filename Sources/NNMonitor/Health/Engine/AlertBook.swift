import Foundations
import MonitorCore

/// The alerts and episodes of a run.
struct AlertBook: Sendable {
    /// Which rule on which layer.
    struct Key: Hashable, Sendable {
        let rule: RuleID
        /// The number of the layer; -1 for the run.
        let layer: Int
    }

    /// Open alerts by rule and layer.
    private var open: [Key: Alert] = [:]
    /// The episodes with an open alert.
    private var openEpisodes: [OpenEpisode] = []
    /// Closed alerts and episodes, the oldest first.
    private var closed: [Alert] = []
    private var closedEpisodes: [AlertEpisode] = []
    private var lastAlert: UInt64 = 0
    private var lastEpisode: UInt64 = 0
    private var bytes = 0
    /// The number of closed alerts that are no longer listed.
    private(set) var forgotten: UInt64 = 0
    /// The numbers of open alerts.
    private(set) var counts = AlertCounts()
    /// The largest number of closed alerts, and of closed episodes.
    private static let maximumClosed = 1_000
    /// An alert that opens within this number of reports after an episode's last opening joins it.
    private static let joiningReports = 20

    /// Bytes of all alerts and episodes.
    var memory: Int { bytes }

    /// Whether an alert is open.
    func isOpen(_ rule: RuleID, _ layer: Int) -> Bool { open[Key(rule: rule, layer: layer)] != nil }

    /// All alerts: open ones, then the closed ones, the newest first.
    var alerts: [Alert] { open.values.sorted { $0.id > $1.id } + closed.reversed() }

    /// All episodes: open ones, then the closed ones, the newest first.
    var episodes: [AlertEpisode] { openEpisodes.map(\.episode).reversed() + closedEpisodes.reversed() }

    // MARK: Steps

    /// What alerts need of a step.
    struct Moment {
        let step: Int64
        let seq: UInt64
        let time: Double
        /// The number of reports so far, with this one.
        let reports: Int
    }

    /// Takes the findings of a step.
    ///
    /// - Parameters:
    ///   - findings: the findings.
    ///   - layers: the layers of the run.
    ///   - moment: the step.
    ///   - evidence: earlier values of a metric on a layer, ascending.
    ///   - kindCount: the number of the step's layers that have a metric of a kind.
    /// - Returns: what changed.
    mutating func take(
        _ findings: StepFindings, _ layers: LayerIndex, at moment: Moment,
        evidence: (_ metric: String, _ layer: ByteString?) -> [Alert.Point], kindCount: (MetricKind) -> Int
    ) -> HealthChanges {
        var changes = HealthChanges()
        var touched = TouchedEpisodes()
        for change in findings.changes {
            let key = Key(rule: change.rule, layer: change.layer)
            switch change.change {
            case .none: break
            case .opened(let level):
                guard let finding = change.finding else { continue }
                let layer = change.layer >= 0 ? NamedLayer(layers, change.layer) : nil
                let episode = joinEpisode(change.rule, level, layer, moment, &touched)
                let opened = makeAlert(change, finding, layer, level, episode, moment, evidence)
                touched.candidates.append(
                    .init(
                        rule: change.rule, alert: opened.id, layer: layer?.id, depth: layer?.depth,
                        step: change.track.firstStep, kind: change.kind, episode: episode))
                open[key] = opened
                bytes += opened.memory
                count(level, 1)
                changes.alerts.append(opened)
                note(opened, level, moment, &touched)
            case .continued(let level):
                guard let finding = change.finding, let index = open.index(forKey: key) else { continue }
                let hasEscalated = level == .critical && open.values[index].severity != .critical
                bytes -= open.values[index].memory
                open.values[index].update(finding, rule: change.rule, hasEscalated: hasEscalated, at: moment)
                bytes += open.values[index].memory
                if hasEscalated {
                    count(.warning, -1)
                    count(.critical, 1)
                    changes.alerts.append(open.values[index])
                }
                note(open.values[index], hasEscalated ? .critical : nil, moment, &touched)
            case .closed:
                if let alert = close(key, at: moment, &touched) { changes.alerts.append(alert) }
            }
        }
        changes.notices = finish(&touched, at: moment, kindCount: kindCount)
        return changes
    }

    /// Closes the alerts that were opened at or after a step; all of them if it is `nil`.
    mutating func closeAll(from step: Int64?, at moment: Moment) -> HealthChanges {
        var changes = HealthChanges()
        var touched = TouchedEpisodes()
        let keys = open.filter { alert in step.map { (alert.value.openedStep ?? .max) >= $0 } ?? true }
            .sorted { $0.value.id < $1.value.id }.map(\.key)
        for key in keys { if let alert = close(key, at: moment, &touched) { changes.alerts.append(alert) } }
        changes.notices = finish(&touched, at: moment) { _ in 0 }
        return changes
    }

    /// Takes the word of the trainer.
    mutating func note(_ alert: PostedAlert, lastSeq: UInt64, at time: UTCTime) -> HealthChanges {
        lastAlert += 1
        lastEpisode += 1
        let changes = alert.closed(id: lastAlert, episode: lastEpisode, lastSeq: lastSeq, at: time)
        for alert in changes.alerts { keepClosed(alert) }
        for notice in changes.notices { keepClosed(notice.episode) }
        trim()
        return changes
    }

    // MARK: Alerts

    private mutating func makeAlert(
        _ change: StepFindings.Change, _ finding: Finding, _ layer: NamedLayer?, _ level: AlertLevel, _ episode: UInt64,
        _ moment: Moment, _ evidence: (_ metric: String, _ layer: ByteString?) -> [Alert.Point]
    ) -> Alert {
        lastAlert += 1
        var alert = Alert(
            id: lastAlert, episode: episode, rule: change.rule.name, layer: layer?.id, depth: layer?.depth,
            severity: level, seq: moment.seq, time: moment.time, title: RuleText.title(change.rule, layer?.id.text))
        alert.firstStep = change.track.firstStep
        alert.openedStep = moment.step
        alert.reports = Int(change.track.abnormalReports) - 1
        alert.metric = finding.metric
        alert.openedValue = finding.value
        alert.advice = RuleText.advice(change.rule)
        alert.evidence = evidence(finding.metric, layer?.id)
        alert.update(finding, rule: change.rule, hasEscalated: level == .critical, at: moment)
        return alert
    }

    private mutating func close(_ key: Key, at moment: Moment, _ touched: inout TouchedEpisodes) -> Alert? {
        guard var alert = open.removeValue(forKey: key) else { return nil }
        bytes -= alert.memory
        alert.isOpen = false
        alert.closedStep = moment.step
        alert.closedAt = moment.time
        count(alert.severity, -1)
        keepClosed(alert)
        if let index = openEpisodes.firstIndex(where: { $0.episode.id == alert.episode }) {
            openEpisodes[index].openAlerts -= 1
            touched.note(alert.episode)
        }
        return alert
    }

    private mutating func keepClosed(_ alert: Alert) {
        closed.append(alert)
        bytes += alert.memory
    }

    private mutating func keepClosed(_ episode: AlertEpisode) {
        closedEpisodes.append(episode)
        bytes += episode.memory
    }

    /// Removes the oldest closed alerts and episodes above the maximum, all at once: a step may close thousands.
    private mutating func trim() {
        let alerts = closed.count - Self.maximumClosed
        if alerts > 0 {
            bytes -= closed.prefix(alerts).reduce(0) { $0 + $1.memory }
            closed.removeFirst(alerts)
            forgotten += UInt64(alerts)
        }
        let episodes = closedEpisodes.count - Self.maximumClosed
        if episodes > 0 {
            bytes -= closedEpisodes.prefix(episodes).reduce(0) { $0 + $1.memory }
            closedEpisodes.removeFirst(episodes)
        }
    }

    private mutating func count(_ level: AlertLevel, _ change: Int) {
        if level == .critical { counts.critical += change } else { counts.warning += change }
    }

    // MARK: Episodes

    /// The episode that an alert joins, or a new one.
    private mutating func joinEpisode(
        _ rule: RuleID, _ level: AlertLevel, _ layer: NamedLayer?, _ moment: Moment, _ touched: inout TouchedEpisodes
    ) -> UInt64 {
        if let index = openEpisodes.lastIndex(where: { moment.reports - $0.lastOpening <= Self.joiningReports }) {
            openEpisodes[index].lastOpening = moment.reports
            touched.note(openEpisodes[index].episode.id)
            return openEpisodes[index].episode.id
        }
        lastEpisode += 1
        var episode = AlertEpisode(
            id: lastEpisode, severity: level, kind: rule.name, openedAt: moment.time,
            title: RuleText.title(rule, layer?.id.text))
        episode.openedStep = moment.step
        openEpisodes.append(OpenEpisode(episode: episode, lastOpening: moment.reports))
        touched.note(lastEpisode)
        touched.begun.insert(lastEpisode)
        return lastEpisode
    }

    /// Takes a new or changed alert into its episode.
    private mutating func note(
        _ alert: Alert, _ newLevel: AlertLevel?, _ moment: Moment, _ touched: inout TouchedEpisodes
    ) {
        guard let index = openEpisodes.firstIndex(where: { $0.episode.id == alert.episode }) else { return }
        openEpisodes[index].episode.lastStep = max(openEpisodes[index].episode.lastStep ?? moment.step, moment.step)
        guard let newLevel else { return }
        touched.note(alert.episode)
        openEpisodes[index].add(alert)
        if newLevel == .critical, openEpisodes[index].episode.severity != .critical {
            openEpisodes[index].episode.severity = .critical
            touched.escalated.insert(alert.episode)
        }
    }

    /// Finds the origins of the episodes that changed, and closes those without an open alert.
    private mutating func finish(
        _ touched: inout TouchedEpisodes, at moment: Moment, kindCount: (MetricKind) -> Int
    ) -> [EpisodeNotice] {
        var notices: [EpisodeNotice] = []
        for id in touched.ids {
            guard let index = openEpisodes.firstIndex(where: { $0.episode.id == id }) else { continue }
            let candidates = touched.candidates.filter { $0.episode == id }
            let hasMoved = openEpisodes[index].findOrigin(candidates, kindCount: kindCount) { alert in
                open.values.first { $0.id == alert }
            }
            if openEpisodes[index].openAlerts == 0 {
                var episode = openEpisodes.remove(at: index).episode
                episode.isOpen = false
                episode.closedStep = moment.step
                episode.closedAt = moment.time
                keepClosed(episode)
                notices.append(EpisodeNotice(.closed, episode: episode, alerts: alerts(of: episode)))
            } else if touched.begun.contains(id) {
                let episode = openEpisodes[index].episode
                notices.append(EpisodeNotice(.opened, episode: episode, alerts: alerts(of: episode)))
            } else if touched.escalated.contains(id) || hasMoved {
                let episode = openEpisodes[index].episode
                notices.append(EpisodeNotice(.escalated, episode: episode, alerts: alerts(of: episode)))
            }
        }
        trim()
        return notices
    }

    /// The first alerts of an episode.
    private func alerts(of episode: AlertEpisode) -> [Alert] {
        episode.alerts.prefix(EpisodeNotice.maximumAlerts).compactMap { id in
            open.values.first { $0.id == id } ?? closed.last { $0.id == id }
        }
    }
}

/// A layer of an alert.
struct NamedLayer {
    let id: ByteString
    let depth: Int64

    init(_ layers: LayerIndex, _ number: Int) {
        id = layers.ids[number]
        depth = layers.layers[number].depth
    }
}

/// The episodes that a step changes.
struct TouchedEpisodes {
    /// All of them, in the order of their first change.
    private(set) var ids: [UInt64] = []
    var begun: Set<UInt64> = []
    var escalated: Set<UInt64> = []
    /// The alerts that were opened.
    var candidates: [OriginCandidate] = []

    mutating func note(_ id: UInt64) { if !ids.contains(id) { ids.append(id) } }
}
