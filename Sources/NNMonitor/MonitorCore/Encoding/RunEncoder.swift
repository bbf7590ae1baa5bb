import Foundations

/// Writes what the wire contract says of runs: the listing, and a run's history piece by piece.
package enum RunEncoder {
    /// Appends the listing: an object by run id, in order of creation.
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
            writer.integer(run.latestStep)
            writer.byte(UInt8(ascii: "}"))
        }
        writer.byte(UInt8(ascii: "}"))
    }
}

/// Encodes a run's history in pieces of bounded size, so that a long run is never in memory as text.
package struct HistoryEncoder: Sendable {
    private let snapshot: RunSnapshot
    private let form: StepForm
    private let suffix: StaticString
    private var prefix: JSONWriter
    private var position: StepSequence.Position
    private var hasStep = false
    private var ended = false

    /// The body of `GET /api/v1/runs/{run_id}`.
    package static func body(_ snapshot: RunSnapshot) -> HistoryEncoder {
        HistoryEncoder(snapshot, form: .full, prefix: JSONWriter(), suffix: "]}")
    }

    /// The `run_history` message.
    package static func message(_ snapshot: RunSnapshot, form: StepForm) -> HistoryEncoder {
        var prefix = JSONWriter()
        prefix.literal("{\"type\":\"run_history\",\"run_id\":")
        prefix.string(snapshot.id.text)
        prefix.literal(",\"data\":")
        return HistoryEncoder(snapshot, form: form, prefix: prefix, suffix: "]}}")
    }

    private init(_ snapshot: RunSnapshot, form: StepForm, prefix: JSONWriter, suffix: StaticString) {
        self.snapshot = snapshot
        self.form = form
        self.suffix = suffix
        self.prefix = prefix
        position = snapshot.steps.start
        self.prefix.literal("{\"created_at\":")
        self.prefix.string(snapshot.createdAt.iso8601)
        self.prefix.literal(",\"last_update\":")
        self.prefix.string(snapshot.lastUpdate.iso8601)
        self.prefix.literal(",\"steps\":[")
    }

    /// Encodes the next piece into `writer`, which is emptied first.
    ///
    /// - Parameters:
    ///   - writer: gets the piece.
    ///   - size: bytes at which a piece ends, after the step that reaches it.
    /// - Returns: whether this was the last piece.
    package mutating func next(into writer: inout JSONWriter, size: Int = 65_536) -> Bool {
        writer.removeAll()
        guard !ended else { return true }
        writer.raw(prefix.bytes)
        prefix.removeAll()
        while writer.bytes.count < size {
            guard let record = snapshot.steps.next(&position) else {
                writer.literal(suffix)
                ended = true
                return true
            }
            if hasStep { writer.byte(UInt8(ascii: ",")) }
            hasStep = true
            StepEncoder.append(record, form: form, to: &writer)
        }
        return false
    }
}
