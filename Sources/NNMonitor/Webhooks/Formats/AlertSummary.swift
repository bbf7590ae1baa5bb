import Foundations
import MonitorCore

/// What people read about an event of an episode, before a format arranges it.
struct AlertSummary: Sendable {
    /// A name and a value. Receivers refuse a blank value, so a blank one is in quotes.
    struct Fact: Sendable, Equatable {
        let name: String
        let value: String

        init(name: String, value: String) {
            self.name = name
            self.value = value.isBlank ? "\"\(value)\"" : value
        }
    }

    /// The most important sentence, on one line.
    let headline: String
    /// The run, the layer, the step and the value: those that are known.
    let facts: [Fact]
    /// What was found; `nil` if there is nothing to add to the headline.
    let text: String?
    /// What people usually do about it; only when the episode opens.
    let advice: String?
    /// The address of the episode's beginning on the dashboard.
    let link: String?
    /// How urgent it is; `nil` for an episode that is over.
    let urgency: AlertLevel?

    /// - Parameters:
    ///   - notice: the event.
    ///   - link: the prefix of links.
    init(_ notice: EpisodeNotice, link: RunLink) {
        let episode = notice.episode
        let title = episode.title.onOneLine
        let severity = episode.severity.name
        // A trainer's alert is closed at once, but it is no news that something is over.
        urgency = notice.event == .closed ? nil : episode.severity
        headline =
            switch notice.event {
            case .opened: "\(severity.capitalizedFirst): \(title)"
            case .escalated: "Escalated (\(severity)): \(title)"
            case .closed: "Resolved: \(title)"
            }
        text = episode.message.flatMap { $0.isBlank ? nil : $0 }
        advice = notice.event == .opened ? episode.advice.flatMap { $0.isBlank ? nil : $0 } : nil
        self.link = AlertEncoder(notice.runID, link: link).address(of: episode)
        facts = Self.facts(notice)
    }

    private static func facts(_ notice: EpisodeNotice) -> [Fact] {
        let episode = notice.episode
        let id = notice.runID.text.onOneLine
        let name = notice.name.onOneLine
        var facts = [Fact(name: "Run", value: name.isEmpty || name == id ? id : "\(name) (\(id))")]
        if !notice.project.isEmpty { facts.append(Fact(name: "Project", value: notice.project.onOneLine)) }
        if let layers = layers(of: episode) { facts.append(Fact(name: "Layer", value: layers)) }
        if let step = episode.origin?.step ?? episode.firstStep ?? episode.openedStep {
            let end = notice.event == .closed ? episode.closedStep.map { ", closed at \($0)" } : nil
            facts.append(Fact(name: "Step", value: "\(step)\(end ?? "")"))
        }
        let origin = episode.origin.flatMap { origin in notice.alerts.first { $0.id == origin.alert } }
        if let alert = origin ?? notice.alerts.first(where: { $0.metric != nil }), let value = value(of: alert) {
            facts.append(Fact(name: "Value", value: value))
        }
        return facts
    }

    private static func layers(of episode: AlertEpisode) -> String? {
        guard let first = episode.origin?.layer ?? episode.layers.first else { return nil }
        let name = first.text.onOneLine
        return episode.layerCount > 1 ? "\(name) and \(episode.layerCount - 1) more" : name
    }

    private static func value(of alert: Alert) -> String? {
        guard let metric = alert.metric, !MissingValue.isMissing(alert.value) else { return nil }
        let value = "\(metric.onOneLine) = \(number(alert.value))"
        // A value that equals its threshold would be named twice.
        switch alert.comparison == .equal ? 0 : alert.threshold.count {
        case 0: return value
        case 1: return "\(value) (threshold \(number(alert.threshold[0])))"
        default: return "\(value) (allowed \(number(alert.threshold[0])) to \(number(alert.threshold[1])))"
        }
    }

    /// A number in as many digits as a `Float` has, which is enough for people.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        let short = Float(value)
        let text = short.isFinite && (short.isNormal || value == 0) ? "\(short)" : "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension String {
    /// Whether the text has nothing that can be seen.
    fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }

    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
