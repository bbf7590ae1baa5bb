import Foundations

/// Which part of a run's health is served.
package struct HealthForm: Sendable {
    /// Which alerts and episodes.
    package enum State: String, Sendable, CaseIterable {
        /// Open ones.
        case open
        /// Closed ones.
        case closed
        /// All that are kept.
        case all

        fileprivate func includes(_ isOpen: Bool) -> Bool { self == .all || (self == .open) == isOpen }
    }

    /// Which alerts and episodes.
    package var state = State.all
    /// Whether all layers are listed.
    package var hasLayers = true
    /// The largest number of episodes, and of alerts: the worst ones, in that order. `nil` for all, the newest first.
    package var limit: Int?

    /// All.
    package init() {}

    /// The episodes that are served.
    fileprivate func selected(_ episodes: [AlertEpisode]) -> [AlertEpisode] {
        worst(episodes.filter { state.includes($0.isOpen) }) {
            ($0.isOpen, $0.severity, $0.origin?.step ?? $0.firstStep)
        }
    }

    /// The alerts that are served.
    fileprivate func selected(_ alerts: [Alert]) -> [Alert] {
        worst(alerts.filter { state.includes($0.isOpen) }) { ($0.isOpen, $0.severity, $0.firstStep) }
    }

    /// At most `limit` elements: open ones first, then the most severe, then those that began first.
    private func worst<Element>(
        _ elements: [Element], _ facts: (Element) -> (isOpen: Bool, severity: AlertLevel, step: Int64?)
    ) -> [Element] {
        guard let limit else { return elements }
        let levels = AlertLevel.allCases
        let ranked = elements.enumerated().map { index, element in
            let (isOpen, severity, step) = facts(element)
            let level = levels.firstIndex(of: severity) ?? 0
            return (rank: (isOpen ? 0 : 1, -level, step ?? .max, index), element: element)
        }
        return ranked.sorted { $0.rank < $1.rank }.prefix(limit).map(\.element)
    }
}

/// Encodes the health of a run (SCHEMA.md, "Health").
package struct HealthEncoder {
    private let report: HealthReport
    private let run: RunDescription
    private let alerts: AlertEncoder

    /// - Parameters:
    ///   - report: the findings.
    ///   - run: the run, as it was at the same time.
    ///   - link: the prefix of links.
    package init(_ report: HealthReport, of run: RunDescription, link: RunLink) {
        self.report = report
        self.run = run
        alerts = AlertEncoder(run.id, link: link)
    }

    /// The approximate size of the object, in bytes.
    package func estimatedSize(_ form: HealthForm) -> Int {
        let findings = min(report.alerts.count, form.limit ?? .max) + min(report.episodes.count, form.limit ?? .max)
        return 4_096 + 1_536 * findings + (form.hasLayers ? 160 * run.details.structure.layerCount : 0)
    }

    /// The worst open severity; `waiting` before a rule could judge.
    private var status: StaticString {
        let counts = run.details.openAlerts
        return counts.critical > 0 ? "critical" : counts.warning > 0 ? "warning" : report.hasJudged ? "ok" : "waiting"
    }

    /// Appends the object.
    package func append(_ form: HealthForm, to writer: inout JSONWriter) {
        writer.literal("{\"run_id\":")
        writer.string(run.id.text)
        writer.literal(",\"status\":\"")
        writer.literal(status)
        writer.literal("\",\"as_of\":{\"step\":")
        if let step = report.moment?.step { writer.integer(step) } else { writer.literal("null") }
        writer.literal(",\"seq\":")
        writer.integer(Int64(report.moment?.seq ?? 0))
        writer.literal(",\"time\":")
        writer.optionalDouble(report.moment?.time ?? MissingValue.number)
        writer.literal(",\"reports\":")
        writer.integer(Int64(report.reports))
        writer.literal("},\"open\":{\"warning\":")
        writer.integer(Int64(run.details.openAlerts.warning))
        writer.literal(",\"critical\":")
        writer.integer(Int64(run.details.openAlerts.critical))
        writer.literal("},\"episodes\":[")
        list(form.selected(report.episodes), &writer) { alerts.append($0, to: &$1) }
        writer.literal("],\"alerts\":[")
        list(form.selected(report.alerts), &writer) { alerts.append($0, to: &$1) }
        writer.literal("],\"layers\":[")
        if form.hasLayers { appendLayers(to: &writer) }
        writer.literal("],\"rules\":[")
        list(report.rules, &writer) { append($0, &$1) }
        writer.literal("],\"forgotten\":")
        writer.integer(Int64(report.forgotten))
        writer.byte(UInt8(ascii: "}"))
    }

    /// The layers in depth order, each with its open alerts.
    private func appendLayers(to writer: inout JSONWriter) {
        guard let table = run.details.structure.table else { return }
        var open: [ByteString: [Alert]] = [:]
        for alert in report.alerts.reversed() where alert.isOpen {
            if let layer = alert.layer { open[layer, default: []].append(alert) }
        }
        let layers = (0..<table.layout.layerCount).map { layer in
            (index: layer, depth: depth(layer, table))
        }.sorted { ($0.depth, $0.index) < ($1.depth, $1.index) }
        list(layers, &writer) { layer, writer in
            writer.literal("{\"id\":")
            writer.string(table.layout.idBytes(layer.index))
            writer.literal(",\"depth\":")
            writer.integer(layer.depth)
            writer.literal(",\"type\":")
            if let type = type(layer.index, table) { writer.string(type) } else { writer.literal("null") }
            let own = open[ByteString(table.layerID(layer.index))] ?? []
            let isCritical = own.contains { $0.severity == .critical }
            writer.literal(isCritical ? ",\"status\":\"critical\"" : own.isEmpty ? okay : ",\"status\":\"warning\"")
            writer.literal(",\"alerts\":[")
            list(own, &writer) { $1.string(String($0.id)) }
            writer.literal("]}")
        }
    }

    private var okay: StaticString { report.hasJudged ? ",\"status\":\"ok\"" : ",\"status\":\"waiting\"" }

    private func depth(_ layer: Int, _ table: LayerTable) -> Int64 {
        table.layout.depth(layer) ?? run.details.structure.earlier(layer, run.details.names).depth ?? Int64(layer)
    }

    private func type(_ layer: Int, _ table: LayerTable) -> [UInt8]? {
        if let posted = table.layout.typeBytes(layer), !posted.isEmpty { return Array(posted) }
        return run.details.structure.earlier(layer, run.details.names).type
    }

    private func append(_ rule: HealthReport.Rule, _ writer: inout JSONWriter) {
        writer.literal("{\"rule\":")
        writer.string(rule.name)
        writer.literal(rule.isOfLayers ? ",\"scope\":\"layer\"" : ",\"scope\":\"run\"")
        writer.literal(rule.state == .off ? ",\"enabled\":false,\"state\":" : ",\"enabled\":true,\"state\":")
        writer.string(rule.state.rawValue)
        writer.literal(",\"inputs\":[")
        list(rule.inputs, &writer) { $1.string($0) }
        writer.literal("],\"inputs_missing\":[")
        list(rule.inputsMissing, &writer) { $1.string($0) }
        writer.literal("],\"layers_missing\":")
        writer.integer(Int64(rule.layersMissing))
        writer.literal(",\"hint\":")
        if let hint = rule.hint { writer.string(hint) } else { writer.literal("null") }
        writer.byte(UInt8(ascii: "}"))
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
