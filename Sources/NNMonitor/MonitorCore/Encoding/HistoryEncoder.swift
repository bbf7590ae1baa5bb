import Foundations

/// Encodes a run's history in chunks of bounded size, so that the text of a long run is never in memory as a whole.
///
/// The steps are read in batches from the snapshot's source. Reading a batch may suspend.
package struct HistoryEncoder: Sendable {
    private var steps: HistorySteps
    private var form: StepWriter
    private let suffix: [UInt8]
    private var prefix: JSONWriter
    /// The current batch, and the index of its next step. The batch is empty before the first and after the last read.
    private var batch: [StepRecord] = []
    private var index = 0
    private var hasStep = false
    private var hasStarted = false
    private var hasReadAll = false
    private var ended = false
    /// The reservation of the memory. The last property, so that it is released after the steps.
    package var reservation: (any Sendable)?

    /// The body of `GET /api/v1/runs/{run_id}`.
    package static func body(_ snapshot: RunSnapshot) -> HistoryEncoder {
        HistoryEncoder(RunHistory(snapshot), form: .nested(.full), prefix: JSONWriter(), end: "}")
    }

    /// The `run_history` message.
    ///
    /// - Parameters:
    ///   - history: the run and its steps.
    ///   - form: the form of the steps; with `.runs` there are none.
    /// - Returns: the encoder.
    package static func message(_ history: RunHistory, form: LiveForm) -> HistoryEncoder {
        var prefix = JSONWriter()
        prefix.literal("{\"type\":\"run_history\",\"run_id\":")
        prefix.string(history.id.text)
        if let isReset = history.isReset { prefix.literal(isReset ? ",\"reset\":true" : ",\"reset\":false") }
        prefix.literal(",\"data\":")
        return HistoryEncoder(history, form: form, prefix: prefix, end: "}}")
    }

    private init(_ history: RunHistory, form: LiveForm, prefix: JSONWriter, end: StaticString) {
        steps = history.steps
        self.form = StepWriter(form)
        suffix = Array("],\"last_seq\":\(history.lastSeq)\(end)".utf8)
        self.prefix = prefix
        self.prefix.literal("{\"created_at\":")
        self.prefix.string(history.createdAt.iso8601)
        self.prefix.literal(",\"last_update\":")
        self.prefix.string(history.lastUpdate.iso8601)
        self.prefix.literal(",\"steps\":[")
    }

    /// Reads the first batch of steps, so that a source that cannot be read fails before anything is sent.
    ///
    /// - Throws: `StoreError` if the steps cannot be read.
    package mutating func prefetch() async throws(StoreError) {
        if !hasStarted { try await readBatch() }
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
                writer.raw(suffix)
                ended = true
                return true
            }
            if hasStep { writer.byte(UInt8(ascii: ",")) }
            hasStep = true
            form.append(batch[index], to: &writer)
            index += 1
        }
        return true
    }

    private mutating func readBatch() async throws(StoreError) {
        hasStarted = true
        batch = try await steps.nextBatch()
        index = 0
        hasReadAll = batch.isEmpty
    }
}

/// Writes steps in one form.
struct StepWriter: Sendable {
    private let form: LiveForm
    private var columns: OpenStepEncoder

    init(_ form: LiveForm) {
        self.form = form
        if case .columns(let selection) = form {
            columns = OpenStepEncoder(form: selection)
        } else {
            columns = OpenStepEncoder()
        }
    }

    /// Appends one step object.
    mutating func append(_ record: StepRecord, to writer: inout JSONWriter) {
        switch form {
        case .nested(let form): StepEncoder.append(record, form: form, to: &writer)
        case .columns: columns.append(record, to: &writer)
        case .runs: break
        }
    }
}
