import Foundation
import MonitorCore
import Testing

@testable import Webhooks

@Suite struct FormatTests {
    private let link = RunLink(prefix: "https://monitor.example.org/nn/")
    private let time = UTCTime(microseconds: 1_795_000_099_200_000)

    private func body(
        _ format: String, _ notice: EpisodeNotice, link: RunLink? = nil
    ) throws -> [String: Any] {
        let webhook = try Webhook("\(format)=https://example.org/topic")
        let bytes = MessageEncoder(webhook, link: link ?? self.link).body(notice, delivery: "d1", at: time)
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test func `The format json is the whole episode`() throws {
        let whole = try body("json", Notices.dead())
        #expect(Set(whole.keys) == ["event", "sent_at", "delivery", "run", "episode", "alerts"])
        #expect(whole["event"] as? String == "opened")
        #expect(whole["sent_at"] as? Double == 1_795_000_099.2)
        #expect(whole["delivery"] as? String == "d1")
        #expect(whole["run"] as? [String: String] == ["run_id": "r7", "project": "digits", "name": "first"])
        let episode = try #require(whole["episode"] as? [String: Any])
        #expect(episode["kind"] as? String == "dead_layer")
        #expect(episode["url"] as? String == "https://monitor.example.org/nn/#run=r7&step=360&layer=conv1")
        #expect((whole["alerts"] as? [[String: Any]])?.first?["id"] as? String == "3")
        let bare = try body("json", Notices.dead(name: "", project: ""), link: RunLink.none)
        let run = try #require(bare["run"] as? [String: Any])
        #expect(run["project"] is NSNull && run["name"] is NSNull)
    }

    @Test func `A message for people has run, layer, step, value and link`() {
        let opened = AlertSummary(Notices.dead(), link: link)
        #expect(opened.headline == "Critical: conv1 is dead")
        #expect(
            opened.facts.map { "\($0.name): \($0.value)" } == [
                "Run: first (r7)", "Project: digits", "Layer: conv1 and 2 more", "Step: 360",
                "Value: activation_std = 0.25 (threshold 0.001)",
            ])
        #expect(opened.link == "https://monitor.example.org/nn/#run=r7&step=360&layer=conv1")
        #expect(opened.text == "m" && opened.advice == "Lower the learning rate.")
        let equal = AlertSummary(Notices.dead(comparison: .equal), link: link)
        #expect(equal.facts.last?.value == "activation_std = 0.25")
        let escalated = AlertSummary(Notices.dead(.escalated), link: .none)
        #expect(escalated.headline == "Escalated (critical): conv1 is dead")
        #expect(escalated.advice == nil && escalated.link == nil)
        let closed = AlertSummary(Notices.dead(.closed), link: link)
        #expect(closed.headline == "Resolved: conv1 is dead" && closed.urgency == nil)
        #expect(closed.facts.contains { $0.value == "360, closed at 400" })
        let posted = AlertSummary(Notices.posted("no\nprogress"), link: link)
        #expect(posted.headline == "Warning: no progress")
        #expect(posted.facts.map(\.value) == ["r7"] && posted.urgency == .warning)
    }

    @Test(
        arguments: [
            (0.0, "0"), (0.1, "0.1"), (1e-7, "1e-07"), (1e300, "1e+300"), (1e-50, "1e-50"),
            (123_456_789, "1.2345679e+08"),
            (Double.nan, "NaN"), (-Double.infinity, "-Infinity"), (3, "3"), (1.0 / 3, "0.33333334"),
        ] as [(Double, String)])
    func `Numbers are short`(value: Double, text: String) { #expect(AlertSummary.number(value) == text) }

    @Test func `Slack's control characters are escaped`() throws {
        let notice = Notices.dead(layer: "a<!channel>&b", message: "x < y & z > w")
        let whole = try body("slack", notice)
        #expect(whole["text"] as? String == "Critical: a&lt;!channel&gt;&amp;b is dead (run first (r7))")
        let blocks = try #require(whole["blocks"] as? [[String: Any]])
        #expect(blocks.map { $0["type"] as? String } == ["header", "section", "section", "section", "section"])
        #expect((blocks[2]["text"] as? [String: Any])?["text"] as? String == "x &lt; y &amp; z &gt; w")
        #expect(
            (blocks[4]["text"] as? [String: Any])?["text"] as? String
                == "<https://monitor.example.org/nn/#run=r7&amp;step=360&amp;layer=a%3C%21channel%3E%26b|Open the run>")
    }

    @Test func `Discord's Markdown is escaped, and mentions are off`() throws {
        let whole = try body("discord", Notices.dead(layer: "__init__", message: "@everyone *x*"))
        #expect(whole["content"] as? String == "Critical: \\_\\_init\\_\\_ is dead")
        #expect(whole["allowed_mentions"] as? [String: [String]] == ["parse": []])
        let embed = try #require((whole["embeds"] as? [[String: Any]])?.first)
        #expect(embed["title"] as? String == "first (r7)")
        #expect(embed["description"] as? String == "@everyone \\*x\\*\n\nLower the learning rate.")
        #expect(embed["timestamp"] as? String == "2026-11-18T11:08:19.200000+00:00")
    }

    @Test func `A message of ntfy names its topic`() throws {
        let whole = try body("ntfy", Notices.dead())
        #expect(whole["topic"] as? String == "topic" && whole["priority"] as? Int == 5)
        #expect(whole["title"] as? String == "Critical: conv1 is dead")
        #expect(whole["tags"] as? [String] == ["rotating_light"])
        #expect(whole["click"] as? String == "https://monitor.example.org/nn/#run=r7&step=360&layer=conv1")
        #expect(
            whole["message"] as? String
                == "Run: first (r7)\nProject: digits\nLayer: conv1 and 2 more\nStep: 360\n"
                + "Value: activation_std = 0.25 (threshold 0.001)\n\nm\n\nLower the learning rate.")
        #expect(try body("ntfy", Notices.posted("t", level: .info))["priority"] as? Int == 2)
        #expect(try body("ntfy", Notices.dead(.closed))["tags"] as? [String] == ["white_check_mark"])
    }

    @Test(arguments: ["x", "<", "&", "*", "\\", "é", "😀", "\"", "\u{1}"])
    func `Texts of any length and kind stay within the limits`(part: String) throws {
        let long = String(repeating: part, count: 65_536 / part.utf8.count)
        let short = String(repeating: part, count: 1024 / part.utf8.count)
        let notice = Notices.dead(layer: short, title: short, message: long, name: short, project: short)
        let slack = try body("slack", notice)
        #expect(try #require(slack["text"] as? String).utf16.count <= 4000)
        for block in try #require(slack["blocks"] as? [[String: Any]]) {
            let limit = block["type"] as? String == "header" ? 150 : 3000
            if let text = (block["text"] as? [String: Any])?["text"] as? String {
                #expect((1...limit).contains(text.utf16.count))
            }
            for field in block["fields"] as? [[String: Any]] ?? [] {
                #expect((1...2000).contains(try #require(field["text"] as? String).utf16.count))
            }
        }
        let discord = try body("discord", notice)
        #expect(try #require(discord["content"] as? String).utf16.count <= 2000)
        let embed = try #require((discord["embeds"] as? [[String: Any]])?.first)
        var total = try #require(embed["title"] as? String).utf16.count
        #expect(total <= 256)
        for field in try #require(embed["fields"] as? [[String: Any]]) {
            let value = try #require(field["value"] as? String)
            #expect((1...1024).contains(value.utf16.count))
            total += value.utf16.count + (field["name"] as? String ?? "").utf16.count
        }
        let description = try #require(embed["description"] as? String)
        #expect(description.utf16.count <= 4096)
        #expect(total + description.utf16.count <= 6000)
        let ntfy = try body("ntfy", notice)
        #expect(try #require(ntfy["message"] as? String).utf8.count <= 4096)
        #expect(try #require(ntfy["title"] as? String).utf8.count <= 250)
    }

    @Test func `A shortened text ends with an ellipsis, and no escape is cut`() {
        let text = LimitedText(unit: .codeUnits) { $0 == "&" ? "&amp;" : nil }
        #expect(text.fitted("a&b", to: 7) == "a&amp;b")
        #expect(text.fitted("a&bc", to: 7) == "a&amp;…")
        #expect(text.fitted("a&bc", to: 6) == "a…")
        #expect(text.fitted("abc", to: 1) == "…" && text.fitted("abc", to: 0).isEmpty && text.fitted("", to: 0).isEmpty)
        let bytes = LimitedText(unit: .bytes) { _ in nil }
        #expect(bytes.fitted("éé", to: 4) == "éé" && bytes.fitted("ééé", to: 5) == "é…")
        #expect(bytes.fitted("abc", to: 2).isEmpty)
    }
}
