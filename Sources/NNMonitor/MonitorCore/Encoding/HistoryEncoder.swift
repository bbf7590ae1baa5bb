import Foundations

/// Encodes a run's history in chunks of bounded size, so that the text of a long run is never in memory as a whole.
///
/// The steps are read in batches from the snapshot's source. Reading a batch may suspend.
package struct HistoryEncoder: Sendable {
    private let steps: any HistorySource
    private let form: StepForm
    private let suffix: StaticString
    private var prefix: JSONWriter
    /// The current batch, and the index of its next step. The batch is empty before the first and after the last read.
    private var batch: [StepRecord] = []
    private var index = 0
    private var lastStep: Int64?
    private var hasStep = false
    private var hasReadAll = false
    private var ended = false
    /// The reservation of the memory. The last property, so that it is released after the steps.
    package var reservation: (any Sendable)?

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
        steps = snapshot.steps
        self.form = form
        self.suffix = suffix
        self.prefix = prefix
        self.prefix.literal("{\"created_at\":")
        self.prefix.string(snapshot.createdAt.iso8601)
        self.prefix.literal(",\"last_update\":")
        self.prefix.string(snapshot.lastUpdate.iso8601)
        self.prefix.literal(",\"steps\":[")
    }

    /// Reads the first batch of steps, so that a source that cannot be read fails before anything is sent.
    ///
    /// - Throws: `StoreError` if the steps cannot be read.
    package mutating func prefetch() async throws(StoreError) {
        if lastStep == nil, !hasReadAll { try await readBatch() }
    }

    /// The expected size of the largest chunk, in bytes, judged by the steps that have been read.
    ///
    /// - Parameter size: see `next(into:size:)`.
    /// - Returns: the size, not below that of the largest step.
    package func expectedChunk(_ size: Int = 65_536) -> Int {
        var (sum, largest) = (0, 0)
        for step in batch {
            let bytes = StepEncoder.estimatedSize(step)
            sum += bytes
            largest = max(largest, bytes)
        }
        return min(size, sum) + largest
    }

    /// Encodes the next chunk into `writer`, which is cleared first.
    ///
    /// - Parameters:
    ///   - writer: receives the chunk.
    ///   - size: a chunk ends after the step that reaches this number of bytes.
    /// - Returns: whether this was the last chunk.
    /// - Throws: `StoreError` if the steps cannot be read; the history cannot be continued then.
    package mutating func next(into writer: inout JSONWriter, size: Int = 65_536) async throws(StoreError) -> Bool {
        writer.removeAll()
        guard !ended else { return true }
        writer.raw(prefix.bytes)
        prefix.removeAll()
        while !encodeBatch(into: &writer, size: size) { try await readBatch() }
        return ended
    }

    /// Encodes the remaining steps of the batch, until the chunk is full.
    ///
    /// - Returns: whether the chunk is complete; if not, the next batch is needed.
    private mutating func encodeBatch(into writer: inout JSONWriter, size: Int) -> Bool {
        while writer.bytes.count < size {
            guard index < batch.count else {
                guard hasReadAll else { return false }
                writer.literal(suffix)
                ended = true
                return true
            }
            if hasStep { writer.byte(UInt8(ascii: ",")) }
            hasStep = true
            StepEncoder.append(batch[index], form: form, to: &writer)
            index += 1
        }
        return true
    }

    private mutating func readBatch() async throws(StoreError) {
        batch = try await steps.steps(after: lastStep)
        index = 0
        lastStep = batch.last?.step ?? lastStep
        hasReadAll = batch.isEmpty
    }
}
