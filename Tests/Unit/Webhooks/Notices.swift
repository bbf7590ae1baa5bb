import Foundations
import MonitorCore

/// Notices for tests.
enum Notices {
    /// An alert of the rule `dead_layer`, and its episode with two more layers.
    static func dead(
        _ event: EpisodeNotice.Event = .opened, layer: String = "conv1", title: String? = nil, message: String? = "m",
        severity: AlertLevel = .critical, name: String = "first", project: String = "digits",
        comparison: Alert.Comparison = .below
    ) -> EpisodeNotice {
        var alert = Alert(
            id: 3, episode: 1, rule: "dead_layer", layer: .init(layer), depth: 2, severity: severity, seq: 123,
            time: 1_795_000_097.6, title: title ?? "\(layer) is dead")
        alert.firstStep = 360
        alert.metric = "activation_std"
        alert.value = 0.25
        alert.comparison = comparison
        alert.threshold = [0.001]
        var episode = AlertEpisode(
            id: 1, severity: severity, kind: "dead_layer", openedAt: 1_795_000_097.6, title: title ?? "\(layer) is dead"
        )
        episode.origin = .init(
            layer: .init(layer), depth: 2, rule: "dead_layer", alert: 3, step: 360, reason: "first in depth order")
        episode.layers = [.init(layer), "conv2", "conv3"]
        episode.layerCount = 3
        episode.alerts = [3]
        episode.rules = ["dead_layer"]
        episode.firstStep = 360
        episode.message = message
        episode.advice = "Lower the learning rate."
        if event == .closed {
            episode.isOpen = false
            episode.closedStep = 400
        }
        return EpisodeNotice(event, runID: "r7", project: project, name: name, episode: episode, alerts: [alert])
    }

    /// A trainer's alert.
    static func posted(_ title: String, level: AlertLevel = .warning, text: String? = nil) -> EpisodeNotice {
        var episode = AlertEpisode(id: 2, severity: level, kind: "trainer", openedAt: 1_795_000_000, title: title)
        episode.isOpen = false
        episode.message = text
        return EpisodeNotice(.opened, runID: "r7", episode: episode, alerts: [])
    }
}
