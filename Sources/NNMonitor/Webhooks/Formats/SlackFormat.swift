import MonitorCore

/// The body of an incoming webhook of Slack: `text` for notifications, and `blocks` that replace it in the channel.
enum SlackFormat {
    // The limits of Slack's "Block Kit" reference: header 150 characters, text of a section 3000, a field of a section
    // 2000, at most 10 fields. Slack recommends at most 4000 characters for `text`.
    private static let headerLimit = 150
    private static let sectionLimit = 3000
    private static let fieldLimit = 2000
    private static let textLimit = 4000

    /// Slack gives three characters a meaning: mentions such as `<!channel>`, and entities.
    private static let text = LimitedText(unit: .codeUnits) { scalar in
        switch scalar {
        case "&": "&amp;"
        case "<": "&lt;"
        case ">": "&gt;"
        default: nil
        }
    }

    static func append(_ summary: AlertSummary, to writer: inout JSONWriter) {
        let run = summary.facts.first.map { " (\($0.name.lowercased()) \($0.value))" } ?? ""
        writer.literal("{\"text\":")
        writer.string(text.fitted(summary.headline + run, to: textLimit))
        writer.literal(",\"blocks\":[{\"type\":\"header\",\"text\":")
        append(text.fitted(summary.headline, to: headerLimit), type: "plain_text", &writer)
        writer.literal("},{\"type\":\"section\",\"fields\":[")
        for (index, fact) in summary.facts.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            append("*\(fact.name)*\n" + text.fitted(fact.value, to: fieldLimit - 20), type: "mrkdwn", &writer)
        }
        writer.literal("]}")
        for part in [summary.text, summary.advice].compactMap(\.self) {
            writer.literal(",{\"type\":\"section\",\"text\":")
            append(text.fitted(part, to: sectionLimit), type: "plain_text", &writer)
            writer.byte(UInt8(ascii: "}"))
        }
        if let link = summary.link {
            // A link is percent-encoded: it contains none of the three characters but the ampersand.
            let target = text.fitted(link, to: sectionLimit)
            if target.unicodeScalars.last != "\u{2026}" {
                writer.literal(",{\"type\":\"section\",\"text\":")
                append("<\(target)|Open the run>", type: "mrkdwn", &writer)
                writer.byte(UInt8(ascii: "}"))
            }
        }
        writer.literal("]}")
    }

    /// Appends a text object. Slack neither links words in it nor turns `:name:` into pictures.
    private static func append(_ text: String, type: String, _ writer: inout JSONWriter) {
        writer.literal("{\"type\":")
        writer.string(type)
        writer.literal(",\"text\":")
        writer.string(text)
        writer.literal(type == "mrkdwn" ? ",\"verbatim\":true}" : ",\"emoji\":false}")
    }
}
