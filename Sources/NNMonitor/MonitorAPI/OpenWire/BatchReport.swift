import MonitorCore

/// What became of the lines of a batch: the body of its response.
struct BatchReport {
    /// The maximum number of rejected lines that are listed.
    private static let maximum = 100

    /// The number of accepted lines.
    private(set) var accepted = 0
    private var rejectedCount = 0
    private var notKept = 0
    private var lastSeq: UInt64?
    /// The rejected lines as JSON, separated by commas.
    private var rejected = JSONWriter()

    /// Notes an accepted line.
    mutating func accept(_ outcome: AppendOutcome) {
        accepted += 1
        lastSeq = outcome.seq
        if outcome.reason != nil { notKept += 1 }
    }

    /// Notes a rejected line.
    ///
    /// - Parameters:
    ///   - line: its number: 1, 2, 3, …
    ///   - rejection: its errors.
    mutating func reject(line: Int, _ rejection: RejectedPayload) {
        rejectedCount += 1
        guard rejectedCount <= Self.maximum else { return }
        rejected.literal(rejectedCount == 1 ? "{\"line\":" : ",{\"line\":")
        rejected.integer(Int64(line))
        rejected.literal(",\"detail\":")
        rejection.appendDetail(to: &rejected)
        rejected.literal("}")
    }

    /// The body of the response.
    func body(_ warnings: StepWarnings) -> [UInt8] {
        var writer = JSONWriter(capacity: 128 + rejected.bytes.count)
        writer.literal("{\"status\":\"accepted\",\"accepted\":")
        writer.integer(Int64(accepted))
        writer.literal(",\"last_seq\":")
        if let lastSeq { writer.integer(Int64(lastSeq)) } else { writer.literal("null") }
        writer.literal(",\"rejected\":[")
        writer.raw(rejected.bytes)
        writer.literal("],\"rejected_count\":")
        writer.integer(Int64(rejectedCount))
        if notKept > 0 {
            writer.literal(",\"not_kept\":")
            writer.integer(Int64(notKept))
        }
        warnings.append(to: &writer)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes
    }
}

extension StepWarnings {
    /// Appends the warnings as the key `warnings` of an object; nothing if there are none.
    func append(to writer: inout JSONWriter) {
        for (index, text) in texts.enumerated() {
            writer.literal(index == 0 ? ",\"warnings\":[" : ",")
            writer.string(text)
        }
        if !texts.isEmpty { writer.byte(UInt8(ascii: "]")) }
    }
}
