import Foundations

/// Encodes alerts and episodes (SCHEMA.md, "Alert" and "Episode").
package struct AlertEncoder: Sendable {
    private let runID: RunID
    private let link: RunLink

    /// - Parameters:
    ///   - runID: the run.
    ///   - link: the prefix of links.
    package init(_ runID: RunID, link: RunLink) {
        self.runID = runID
        self.link = link
    }

    /// The address of the text about a rule, within the documentation.
    private static let help = "docs/LAYER_HEALTH.md#"

    /// Appends one alert.
    package func append(_ alert: Alert, to writer: inout JSONWriter) {
        writer.literal("{\"id\":")
        writer.string(String(alert.id))
        text("run_id", runID.text, &writer)
        text("episode", String(alert.episode), &writer)
        text("source", alert.source.name, &writer)
        text("rule", alert.rule, &writer)
        text("layer", alert.layer?.text, &writer)
        integer("depth", alert.depth, &writer)
        text("severity", alert.severity.name, &writer)
        text("state", alert.isOpen ? "open" : "closed", &writer)
        integer("first_step", alert.firstStep, &writer)
        integer("opened_step", alert.openedStep, &writer)
        integer("escalated_step", alert.escalatedStep, &writer)
        integer("last_step", alert.lastStep, &writer)
        integer("closed_step", alert.closedStep, &writer)
        integer("opened_seq", Int64(alert.openedSeq), &writer)
        integer("last_seq", Int64(alert.lastSeq), &writer)
        number("opened_at", alert.openedAt, &writer)
        number("last_at", alert.lastAt, &writer)
        number("closed_at", alert.closedAt ?? MissingValue.number, &writer)
        integer("reports", Int64(alert.reports), &writer)
        text("metric", alert.metric, &writer)
        number("value", alert.value, &writer)
        number("opened_value", alert.openedValue, &writer)
        number("worst_value", alert.worstValue, &writer)
        integer("worst_step", alert.worstStep, &writer)
        text("comparison", alert.comparison?.rawValue, &writer)
        threshold(alert.threshold, &writer)
        number("baseline", alert.baseline, &writer)
        writer.literal(",\"inputs\":{")
        list(alert.inputs, &writer) { input, writer in
            writer.string(input.name)
            writer.byte(UInt8(ascii: ":"))
            writer.optionalDouble(input.value)
        }
        writer.literal("},\"evidence\":[")
        list(alert.evidence, &writer) { point, writer in
            writer.byte(UInt8(ascii: "["))
            writer.integer(point.step)
            writer.byte(UInt8(ascii: ","))
            writer.optionalDouble(point.value)
            writer.byte(UInt8(ascii: "]"))
        }
        writer.literal("],\"inputs_missing\":[")
        list(alert.inputsMissing, &writer) { $1.string($0) }
        writer.byte(UInt8(ascii: "]"))
        text("title", alert.title, &writer)
        text("message", alert.message, &writer)
        text("advice", alert.advice, &writer)
        text("help", alert.rule.map { Self.help + $0 }, &writer)
        text("url", link.address(of: runID, step: alert.firstStep, layer: alert.layer), &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    /// Appends one episode.
    package func append(_ episode: AlertEpisode, to writer: inout JSONWriter) {
        writer.literal("{\"id\":")
        writer.string(String(episode.id))
        text("run_id", runID.text, &writer)
        text("state", episode.isOpen ? "open" : "closed", &writer)
        text("severity", episode.severity.name, &writer)
        text("kind", episode.kind, &writer)
        writer.literal(",\"origin\":")
        if let origin = episode.origin { append(origin, &writer) } else { writer.literal("null") }
        writer.literal(",\"rules\":[")
        list(episode.rules, &writer) { $1.string($0) }
        writer.literal("],\"layers\":[")
        list(episode.layers, &writer) { $1.string($0.text) }
        writer.byte(UInt8(ascii: "]"))
        integer("layer_count", Int64(episode.layerCount), &writer)
        writer.literal(",\"alerts\":[")
        list(episode.alerts, &writer) { $1.string(String($0)) }
        writer.byte(UInt8(ascii: "]"))
        integer("first_step", episode.firstStep, &writer)
        integer("opened_step", episode.openedStep, &writer)
        integer("last_step", episode.lastStep, &writer)
        integer("closed_step", episode.closedStep, &writer)
        number("opened_at", episode.openedAt, &writer)
        number("closed_at", episode.closedAt ?? MissingValue.number, &writer)
        text("title", episode.title, &writer)
        text("message", episode.message, &writer)
        text("advice", episode.advice, &writer)
        text("url", address(of: episode), &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    /// The address of an episode's beginning on the dashboard; `nil` if there are no links.
    package func address(of episode: AlertEpisode) -> String? {
        link.address(of: runID, step: episode.origin?.step ?? episode.firstStep, layer: episode.origin?.layer)
    }

    private func append(_ origin: AlertEpisode.Origin, _ writer: inout JSONWriter) {
        writer.literal("{\"layer\":")
        if let layer = origin.layer { writer.string(layer.text) } else { writer.literal("null") }
        integer("depth", origin.depth, &writer)
        text("rule", origin.rule, &writer)
        text("alert", String(origin.alert), &writer)
        integer("step", origin.step, &writer)
        text("reason", origin.reason, &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    private func threshold(_ values: [Double], _ writer: inout JSONWriter) {
        writer.literal(",\"threshold\":")
        guard values.count > 1 else { return writer.optionalDouble(values.first ?? MissingValue.number) }
        writer.byte(UInt8(ascii: "["))
        list(values, &writer) { $1.optionalDouble($0) }
        writer.byte(UInt8(ascii: "]"))
    }

    private func key(_ key: StaticString, _ writer: inout JSONWriter) {
        writer.literal(",\"")
        writer.literal(key)
        writer.literal("\":")
    }

    private func text(_ name: StaticString, _ value: String?, _ writer: inout JSONWriter) {
        key(name, &writer)
        if let value { writer.string(value) } else { writer.literal("null") }
    }

    private func integer(_ name: StaticString, _ value: Int64?, _ writer: inout JSONWriter) {
        key(name, &writer)
        if let value { writer.integer(value) } else { writer.literal("null") }
    }

    private func number(_ name: StaticString, _ value: Double, _ writer: inout JSONWriter) {
        key(name, &writer)
        writer.optionalDouble(value)
    }

    private func list<Element>(
        _ elements: [Element], _ writer: inout JSONWriter, _ append: (Element, inout JSONWriter) -> Void
    ) {
        for (index, element) in elements.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            append(element, &writer)
        }
    }
}
