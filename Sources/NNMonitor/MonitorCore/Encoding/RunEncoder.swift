import Foundations

/// What a run is served with.
package enum RunForm: Sendable, Hashable {
    /// Everything, and `layers`.
    case whole
    /// Everything but `layers`.
    case message
    /// Without `config`, `notes` and `events`: an entry of the listing.
    case entry
}

/// Encodes runs as the open wire serves them (SCHEMA.md, "Run of the open wire").
package enum RunEncoder {
    /// Appends one run object.
    package static func append(_ run: RunDescription, _ form: RunForm, to writer: inout JSONWriter) {
        let info = run.details.info
        writer.literal("{\"run_id\":")
        writer.string(run.id.text)
        text("project", info.project, to: &writer)
        text("name", info.name, to: &writer)
        text("group", info.group, to: &writer)
        writer.literal(",\"tags\":")
        list(info.tags, to: &writer) { $1.string($0) }
        if form != .entry {
            text("notes", info.notes, to: &writer)
            writer.literal(",\"config\":")
            info.config.append(to: &writer)
        }
        writer.literal(",\"state\":")
        writer.string(info.state.name)
        writer.literal(run.isSilent ? ",\"silent\":true" : ",\"silent\":false")
        writer.literal(",\"created_at\":")
        writer.string(run.createdAt.iso8601)
        writer.literal(",\"last_update\":")
        writer.string(run.lastUpdate.iso8601)
        text("finished_at", info.finishedAt.map { Array($0.iso8601.utf8) }, to: &writer)
        number("exit_code", info.exitCode, to: &writer)
        text("reason", info.reason, to: &writer)
        number("step_count", Int64(run.stepCount), to: &writer)
        number("first_step", run.firstStep, to: &writer)
        number("last_step", run.lastStep, to: &writer)
        number("last_seq", Int64(run.lastSeq), to: &writer)
        number("layer_count", Int64(run.details.structure.layerCount), to: &writer)
        names(run.details.names, to: &writer)
        writer.literal(",\"alerts\":{\"warning\":")
        writer.integer(Int64(run.details.openAlerts.warning))
        number("critical", Int64(run.details.openAlerts.critical), to: &writer)
        writer.byte(UInt8(ascii: "}"))
        if form != .entry {
            writer.literal(",\"events\":")
            list(run.details.events, to: &writer) { RunEventEncoder.append($0, to: &$1) }
        }
        if form == .whole {
            writer.literal(",\"layers\":")
            LayerListEncoder.append(run.details.structure, run.details.names, to: &writer)
        }
        writer.byte(UInt8(ascii: "}"))
    }

    /// Appends a part of the listing, with the cursor of the next part.
    package static func append(_ page: RunPage, to writer: inout JSONWriter) {
        writer.literal("{\"runs\":")
        list(page.runs, to: &writer) { append($0, .entry, to: &$1) }
        writer.literal(",\"next\":")
        if let next = page.next { writer.string(String(next.microseconds)) } else { writer.literal("null") }
        writer.byte(UInt8(ascii: "}"))
    }

    /// The approximate size of a run object, in bytes.
    package static func estimatedSize(_ run: RunDescription, _ form: RunForm) -> Int {
        let details = run.details
        let names = details.names.heapBytes
        if form == .entry { return 1024 + names }
        let layers = form == .whole ? details.structure.layerCount * 128 : 0
        return 1024 + names + layers + details.info.heapBytes + details.events.count * 128
    }

    private static func names(_ names: RunNames, to writer: inout JSONWriter) {
        let tables: [(StaticString, NameTable)] = [
            ("metrics", names.metrics), ("scalars", names.scalars), ("vectors", names.vectors),
        ]
        for (key, table) in tables {
            writer.literal(",\"")
            writer.literal(key)
            writer.literal("\":")
            list(0..<table.count, to: &writer) { $1.string(table[$0]) }
        }
        writer.literal(",\"derived\":")
        list(names.derived, to: &writer) { $1.string("\($0)") }
        if let ignored = names.ignored { append(ignored, to: &writer) }
    }

    private static func append(_ ignored: IgnoredNames, to writer: inout JSONWriter) {
        writer.literal(",\"ignored_names\":{\"layers\":")
        writer.integer(Int64(ignored.layers))
        number("metrics", Int64(ignored.metrics), to: &writer)
        number("scalars", Int64(ignored.scalars), to: &writer)
        number("vectors", Int64(ignored.vectors), to: &writer)
        number("maximum", Int64(ignored.maximum), to: &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    private static func text(_ key: StaticString, _ value: [UInt8]?, to writer: inout JSONWriter) {
        writer.literal(",\"")
        writer.literal(key)
        writer.literal("\":")
        if let value { writer.string(value) } else { writer.literal("null") }
    }

    private static func number(_ key: StaticString, _ value: Int64?, to writer: inout JSONWriter) {
        writer.literal(",\"")
        writer.literal(key)
        writer.literal("\":")
        if let value { writer.integer(value) } else { writer.literal("null") }
    }

    private static func list<Elements: Sequence>(
        _ elements: Elements, to writer: inout JSONWriter, _ append: (Elements.Element, inout JSONWriter) -> Void
    ) {
        writer.byte(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            if !isFirst { writer.byte(UInt8(ascii: ",")) }
            isFirst = false
            append(element, &writer)
        }
        writer.byte(UInt8(ascii: "]"))
    }
}
