import Foundations
package import MonitorCore

/// Encodes the message of one event for a webhook.
package struct MessageEncoder: Sendable {
    private let webhook: Webhook
    private let link: RunLink

    /// - Parameters:
    ///   - webhook: the receiver.
    ///   - link: the prefix of links.
    package init(_ webhook: Webhook, link: RunLink) {
        self.webhook = webhook
        self.link = link
    }

    /// Encodes the message.
    ///
    /// - Parameters:
    ///   - notice: the event.
    ///   - delivery: identifies the message, also when it is sent again.
    ///   - time: when it is sent first.
    /// - Returns: the body, JSON in UTF-8.
    package func body(_ notice: EpisodeNotice, delivery: String, at time: UTCTime) -> [UInt8] {
        var writer = JSONWriter(capacity: 2048)
        switch webhook.format {
        case .json: EpisodeFormat(link: link).append(notice, delivery: delivery, at: time, to: &writer)
        case .slack: SlackFormat.append(AlertSummary(notice, link: link), to: &writer)
        case .discord: DiscordFormat.append(AlertSummary(notice, link: link), at: time, to: &writer)
        case .ntfy: NtfyFormat.append(AlertSummary(notice, link: link), topic: webhook.topic, to: &writer)
        }
        return writer.bytes
    }
}

/// The format `json`: the whole episode (SCHEMA.md, "Webhook").
struct EpisodeFormat: Sendable {
    let link: RunLink

    func append(_ notice: EpisodeNotice, delivery: String, at time: UTCTime, to writer: inout JSONWriter) {
        let encoder = AlertEncoder(notice.runID, link: link)
        writer.literal("{\"event\":")
        writer.string(notice.event.rawValue)
        writer.literal(",\"sent_at\":")
        writer.double(Double(time.microseconds) / 1_000_000)
        writer.literal(",\"delivery\":")
        writer.string(delivery)
        writer.literal(",\"run\":{\"run_id\":")
        writer.string(notice.runID.text)
        writer.literal(",\"project\":")
        writer.optionalString(notice.project)
        writer.literal(",\"name\":")
        writer.optionalString(notice.name)
        writer.literal("},\"episode\":")
        encoder.append(notice.episode, to: &writer)
        writer.literal(",\"alerts\":[")
        for (index, alert) in notice.alerts.prefix(EpisodeNotice.maximumAlerts).enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            encoder.append(alert, to: &writer)
        }
        writer.literal("]}")
    }
}

extension JSONWriter {
    /// Writes a string; `null` for an empty one.
    fileprivate mutating func optionalString(_ text: String) {
        if text.isEmpty { literal("null") } else { string(text) }
    }
}
