import Foundations
import MonitorCore

/// The body of a webhook of Discord: a line of text for notifications, and an embed.
enum DiscordFormat {
    // The limits of Discord's documentation of webhooks and embeds: content 2000 characters, title of an embed 256,
    // description 4096, at most 25 fields with names of 256 and values of 1024, all texts of the embeds together 6000.
    private static let contentLimit = 2000
    private static let titleLimit = 256
    private static let valueLimit = 1024
    private static let totalLimit = 6000
    private static let linkLimit = 2048
    private static let descriptionLimit = 4096

    /// Discord's Markdown and mentions: what begins them is escaped with a backslash.
    private static let text = LimitedText(unit: .codeUnits) { scalar in
        switch scalar {
        case "\\": "\\\\"
        case "*": "\\*"
        case "_": "\\_"
        case "~": "\\~"
        case "`": "\\`"
        case "|": "\\|"
        case ">": "\\>"
        case "<": "\\<"
        case "#": "\\#"
        case "[": "\\["
        case "]": "\\]"
        case "-": "\\-"
        default: nil
        }
    }

    static func append(_ summary: AlertSummary, at time: UTCTime, to writer: inout JSONWriter) {
        writer.literal("{\"content\":")
        writer.string(text.fitted(summary.headline, to: contentLimit))
        // Text from a trainer notifies no one: not @everyone, no role, no user.
        writer.literal(",\"allowed_mentions\":{\"parse\":[]},\"embeds\":[{\"title\":")
        let title = text.fitted(summary.facts.first?.value ?? "", to: titleLimit)
        writer.string(title)
        var left = totalLimit - title.utf16.count
        if let link = summary.link, link.utf16.count <= linkLimit {
            writer.literal(",\"url\":")
            writer.string(link)
        }
        writer.literal(",\"fields\":[")
        for (index, fact) in summary.facts.dropFirst().enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            let value = text.fitted(fact.value, to: valueLimit)
            left -= fact.name.utf16.count + value.utf16.count
            writer.literal("{\"name\":")
            writer.string(fact.name)
            writer.literal(",\"value\":")
            writer.string(value)
            writer.literal(",\"inline\":true}")
        }
        writer.byte(UInt8(ascii: "]"))
        let description = [summary.text, summary.advice].compactMap(\.self).joined(separator: "\n\n")
        let fitted = text.fitted(description, to: min(descriptionLimit, max(0, left)))
        if !fitted.isEmpty {
            writer.literal(",\"description\":")
            writer.string(fitted)
        }
        writer.literal(",\"color\":")
        writer.integer(color(summary.urgency))
        writer.literal(",\"timestamp\":")
        writer.string(time.iso8601)
        writer.literal("}]}")
    }

    /// The color of the embed's edge: red, yellow, blue, or green for what is over.
    private static func color(_ urgency: AlertLevel?) -> Int64 {
        switch urgency {
        case .critical: 0xD9_2D_20
        case .warning: 0xF5_A6_23
        case .info: 0x3B_82_F6
        case nil: 0x22_A0_6B
        }
    }
}
