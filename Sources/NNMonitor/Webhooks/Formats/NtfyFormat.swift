import MonitorCore

/// The JSON with which ntfy publishes a message.
enum NtfyFormat {
    // ntfy turns a message of more than 4096 bytes into a file. For titles its documentation has no limit.
    private static let messageLimit = 4096
    private static let titleLimit = 250
    private static let linkLimit = 2048

    private static let text = LimitedText(unit: .bytes) { _ in nil }

    static func append(_ summary: AlertSummary, topic: String, to writer: inout JSONWriter) {
        let lines = summary.facts.map { "\($0.name): \($0.value)" }
        let message = ([lines.joined(separator: "\n")] + [summary.text, summary.advice].compactMap(\.self))
            .joined(separator: "\n\n")
        writer.literal("{\"topic\":")
        writer.string(topic)
        writer.literal(",\"title\":")
        writer.string(text.fitted(summary.headline, to: titleLimit))
        writer.literal(",\"message\":")
        writer.string(text.fitted(message, to: messageLimit))
        writer.literal(",\"priority\":")
        writer.integer(priority(summary.urgency))
        writer.literal(",\"tags\":[")
        writer.string(tag(summary.urgency))
        writer.byte(UInt8(ascii: "]"))
        if let link = summary.link, link.utf8.count <= linkLimit {
            writer.literal(",\"click\":")
            writer.string(link)
        }
        writer.byte(UInt8(ascii: "}"))
    }

    /// From 1, the lowest, to 5, which overrides the silence of a telephone.
    private static func priority(_ urgency: AlertLevel?) -> Int64 {
        switch urgency {
        case .critical: 5
        case .warning: 3
        case .info, nil: 2
        }
    }

    /// A name of a picture, which ntfy shows before the title.
    private static func tag(_ urgency: AlertLevel?) -> String {
        switch urgency {
        case .critical: "rotating_light"
        case .warning: "warning"
        case .info: "information_source"
        case nil: "white_check_mark"
        }
    }
}
