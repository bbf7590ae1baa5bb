import Foundations

/// Encodes the list of runs (API.md, GET /api/v1/runs).
package enum RunListEncoder {
    /// Appends the list of runs: an object keyed by run id, in order of creation.
    package static func appendListing(_ runs: [RunSummary], to writer: inout JSONWriter) {
        writer.byte(UInt8(ascii: "{"))
        for (index, run) in runs.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.string(run.id.text)
            writer.literal(":{\"created_at\":")
            writer.string(run.createdAt.iso8601)
            writer.literal(",\"last_update\":")
            writer.string(run.lastUpdate.iso8601)
            writer.literal(",\"step_count\":")
            writer.integer(Int64(run.stepCount))
            writer.literal(",\"latest_step\":")
            if let step = run.latestStep { writer.integer(step) } else { writer.literal("null") }
            writer.literal(",\"last_seq\":")
            writer.integer(Int64(run.lastSeq))
            writer.byte(UInt8(ascii: "}"))
        }
        writer.byte(UInt8(ascii: "}"))
    }
}
