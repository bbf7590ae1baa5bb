import Foundations

/// Encodes alerts of trainers (SCHEMA.md, "Alert").
package enum AlertEncoder {
    /// Appends one alert object. It has the keys of alerts of all sources.
    package static func append(_ event: RunAlert, to writer: inout JSONWriter) {
        let alert = event.alert
        writer.literal("{\"id\":")
        writer.string(String(event.number))
        writer.literal(",\"run_id\":")
        writer.string(event.runID.text)
        writer.literal(",\"episode\":null,\"source\":\"trainer\",\"rule\":null,\"layer\":null,\"depth\":null")
        writer.literal(",\"severity\":")
        writer.string(alert.level.name)
        writer.literal(",\"state\":\"closed\"")
        step("first_step", alert.step, to: &writer)
        step("opened_step", alert.step, to: &writer)
        step("escalated_step", nil, to: &writer)
        step("last_step", alert.step, to: &writer)
        step("closed_step", alert.step, to: &writer)
        step("opened_seq", Int64(event.lastSeq), to: &writer)
        step("last_seq", Int64(event.lastSeq), to: &writer)
        for key in ["opened_at", "last_at", "closed_at"] as [StaticString] {
            writer.literal(",\"")
            writer.literal(key)
            writer.literal("\":")
            writer.double(Double(event.time.microseconds) / 1_000_000)
        }
        writer.literal(",\"reports\":0,\"metric\":null,\"value\":null,\"opened_value\":null,\"worst_value\":null")
        writer.literal(",\"worst_step\":null,\"comparison\":null,\"threshold\":null,\"baseline\":null,\"inputs\":{}")
        writer.literal(",\"evidence\":[],\"inputs_missing\":[],\"title\":")
        writer.string(alert.title)
        writer.literal(",\"message\":")
        if let text = alert.text { writer.string(text) } else { writer.literal("null") }
        writer.literal(",\"advice\":null,\"help\":null,\"url\":null}")
    }

    private static func step(_ key: StaticString, _ value: Int64?, to writer: inout JSONWriter) {
        writer.literal(",\"")
        writer.literal(key)
        writer.literal("\":")
        if let value { writer.integer(value) } else { writer.literal("null") }
    }
}
