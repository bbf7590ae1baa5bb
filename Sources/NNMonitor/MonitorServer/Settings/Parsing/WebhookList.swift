import Webhooks

/// The value of `ALERT_WEBHOOKS`: entries `format=address`, separated by white space, which no address contains.
///
/// The addresses may be secret, so the whole value is. A problem names an entry by its position.
struct WebhookList: Sendable {
    /// The largest number of entries. Each has its own queue, task and log lines.
    private static let maximumCount = 16

    /// The receivers.
    let webhooks: [Webhook]
    /// What is wrong with the text, without anything of it; `nil` if nothing is.
    let problem: String?

    /// No receivers.
    static let none = WebhookList("")

    /// Parses the text of the setting.
    init(_ text: String) {
        var webhooks: [Webhook] = []
        var problem: String?
        for (index, entry) in text.split(whereSeparator: \.isWhitespace).enumerated() where problem == nil {
            do throws(Webhook.Problem) {
                webhooks.append(try Webhook(entry))
            } catch {
                problem = "entry \(index + 1): \(error)"
            }
        }
        if webhooks.count > Self.maximumCount { problem = "there are more than \(Self.maximumCount) entries" }
        self.webhooks = webhooks
        self.problem = problem
    }
}

extension SettingParser where Value == WebhookList {
    /// Receivers of alerts. A text that is not allowed is reported by the topic, which can give the reason.
    static var webhooks: Self {
        SettingParser(
            allowed: "entries such as slack=https://..., separated by spaces; the formats are "
                + Webhook.Format.allCases.map(\.rawValue).joined(separator: ", "),
            placeholder: "webhooks", parse: { WebhookList($0) }, format: { _ in nil })
    }
}

extension SettingParser where Value == String? {
    /// The public address of the server; empty means none.
    static var publicURL: Self {
        SettingParser(
            allowed: "an address such as https://monitor.example.org/nn, without user, query and fragment",
            placeholder: "url",
            parse: { text in
                if text.isEmpty { return .some(nil) }
                guard let address = try? WebAddress(text), address.authorization == nil, address.query.isEmpty,
                    !address.hasFragment, text.utf8.count <= 2048
                else { return nil }
                return text
            },
            format: { $0 })
    }
}
