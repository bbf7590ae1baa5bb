import Foundations
import MonitorCore

/// An alert that may be the origin of an episode.
struct OriginCandidate {
    let rule: RuleID
    let alert: UInt64
    let layer: ByteString?
    let depth: Int64?
    /// The step at which its values became abnormal.
    let step: Int64
    let kind: MetricKind
    let episode: UInt64
}

/// An episode with at least one open alert.
struct OpenEpisode: Sendable {
    /// The episode as it is served.
    var episode: AlertEpisode
    /// The number of its open alerts.
    var openAlerts = 0
    /// The number of reports at its last opening.
    var lastOpening: Int
    private var originRule: RuleID?
    private var layers: Set<ByteString> = []

    init(episode: AlertEpisode, lastOpening: Int) {
        self.episode = episode
        self.lastOpening = lastOpening
    }

    /// Takes an alert that was opened or escalated.
    mutating func add(_ alert: Alert) {
        if episode.alerts.contains(alert.id) || alert.openedStep != alert.lastStep { return }
        openAlerts += 1
        if episode.alerts.count < AlertEpisode.maximumListed { episode.alerts.append(alert.id) }
        if let rule = alert.rule, !episode.rules.contains(rule) { episode.rules.append(rule) }
        if let layer = alert.layer, layers.insert(layer).inserted {
            episode.layerCount += 1
            if episode.layers.count < AlertEpisode.maximumListed { episode.layers.append(layer) }
        }
        episode.firstStep = min(episode.firstStep ?? .max, alert.firstStep ?? .max)
    }

    /// Finds the origin among new alerts. It moves only to a rule that comes earlier in the order of `RuleID`.
    ///
    /// - Parameters:
    ///   - candidates: the alerts that a step opened.
    ///   - kindCount: the number of the step's layers that have a metric of a kind.
    ///   - alert: an open alert.
    /// - Returns: whether an origin was there, and another takes its place.
    mutating func findOrigin(
        _ candidates: [OriginCandidate], kindCount: (MetricKind) -> Int, alert: (UInt64) -> Alert?
    ) -> Bool {
        // A bad batch raises the loss and the gradients of some layers: no layer is the origin.
        let hasSpike = episode.rules.contains(RuleID.lossSpike.name)
        let ofLayers = candidates.filter { $0.rule.isOfLayers && !(hasSpike && $0.rule == .explodingGradient) }
        guard let rule = ofLayers.map(\.rule).min(by: { $0.rawValue < $1.rawValue }) else {
            let ofRun = candidates.first { !$0.rule.isOfLayers } ?? candidates.first
            if originRule == nil, let first = ofRun, let found = alert(first.alert), episode.message == nil {
                take(found, rule: first.rule)
            }
            return false
        }
        if let originRule, originRule.rawValue <= rule.rawValue { return false }
        let hadOrigin = originRule != nil || episode.message != nil
        originRule = rule
        let own = ofLayers.filter { $0.rule == rule }
        let (chosen, reason) = rule == .nonFinite ? Self.nonFiniteOrigin(own, kindCount) : Self.origin(own, rule)
        guard let first = chosen ?? own.first, let found = alert(first.alert) else { return false }
        episode.origin = AlertEpisode.Origin(
            layer: chosen?.layer, depth: chosen?.depth, rule: rule.name, alert: first.alert, step: first.step,
            reason: reason)
        take(found, rule: rule)
        if chosen == nil { episode.title = RuleText.title(rule, nil) }
        return hadOrigin
    }

    private mutating func take(_ alert: Alert, rule: RuleID) {
        episode.kind = rule.name
        episode.title = alert.title
        episode.message = alert.message
        episode.advice = alert.advice
    }

    private static func origin(_ own: [OriginCandidate], _ rule: RuleID) -> (OriginCandidate?, String) {
        let isBackward = rule.isBackward
        let chosen = own.min { left, right in
            if left.step != right.step { return left.step < right.step }
            let (first, second) = (left.depth ?? 0, right.depth ?? 0)
            return isBackward ? first > second : first < second
        }
        let order = isBackward ? "the last in depth order, where gradients begin," : "the first in depth order"
        let reason =
            own.count == 1
            ? "the only layer with this finding"
            : own.allSatisfy({ $0.step == own[0].step })
                ? "\(order) among the layers that fell ill at this step" : "the first layer that fell ill"
        return (chosen, reason)
    }

    /// The origin of numbers that are not finite; `nil` where every layer began in the same report.
    private static func nonFiniteOrigin(
        _ own: [OriginCandidate], _ kindCount: (MetricKind) -> Int
    ) -> (OriginCandidate?, String) {
        guard let kind = own.map(\.kind).min() else { return (nil, "") }
        let ofKind = own.filter { $0.kind == kind }
        if ofKind.count > 1, ofKind.count >= kindCount(kind) {
            return (nil, "the \(kind.name) of every layer are not finite since the same report")
        }
        let chosen =
            kind == .gradient
            ? ofKind.max { ($0.depth ?? 0) < ($1.depth ?? 0) } : ofKind.min { ($0.depth ?? 0) < ($1.depth ?? 0) }
        let order = kind == .gradient ? "last" : "first"
        return (chosen, "the \(order) layer in depth order whose \(kind.name) are not finite")
    }
}
