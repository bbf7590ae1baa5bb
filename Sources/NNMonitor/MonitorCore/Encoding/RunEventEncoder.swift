/// Encodes the events of a run (SCHEMA.md, "Event of a run").
enum RunEventEncoder {
    static func append(_ event: RunEvent, to writer: inout JSONWriter) {
        let type: StaticString =
            switch event.kind {
            case .resumed: "resumed"
            case .restarted: "restarted"
            case .stepsDropped: "steps_dropped"
            case .alert: "alert"
            case .state: "state"
            }
        writer.literal("{\"type\":\"")
        writer.literal(type)
        writer.literal("\",\"time\":")
        writer.string(event.time.iso8601)
        switch event.kind {
        case .resumed(let step, let dropped):
            number(",\"step\":", step, to: &writer)
            number(",\"dropped\":", Int64(dropped), to: &writer)
        case .restarted(let step, let count):
            number(",\"step\":", step, to: &writer)
            number(",\"not_kept\":", Int64(count), to: &writer)
        case .stepsDropped(let step, let count, let reason):
            number(",\"step\":", step, to: &writer)
            number(",\"dropped\":", Int64(count), to: &writer)
            writer.literal(",\"reason\":")
            writer.string(reason.name)
        case .alert(let alert, let number):
            writer.literal(",\"id\":")
            writer.string(String(number))
            writer.literal(",\"level\":")
            writer.string(alert.level.name)
            writer.literal(",\"title\":")
            writer.string(alert.title)
            text(",\"text\":", alert.text, to: &writer)
            self.number(",\"step\":", alert.step, to: &writer)
        case .state(let state, let exitCode, let reason):
            writer.literal(",\"state\":")
            writer.string(state.name)
            number(",\"exit_code\":", exitCode, to: &writer)
            text(",\"reason\":", reason, to: &writer)
        }
        writer.byte(UInt8(ascii: "}"))
    }

    private static func number(_ key: StaticString, _ value: Int64?, to writer: inout JSONWriter) {
        writer.literal(key)
        if let value { writer.integer(value) } else { writer.literal("null") }
    }

    private static func text(_ key: StaticString, _ value: [UInt8]?, to writer: inout JSONWriter) {
        writer.literal(key)
        if let value { writer.string(value) } else { writer.literal("null") }
    }
}
