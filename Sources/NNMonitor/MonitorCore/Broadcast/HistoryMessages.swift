/// The steps of a history as single messages, each as it comes live, for a connection that has no message for a whole
/// history. Before them comes `reset` if the client must forget the steps that it knows.
package struct HistoryMessages: Sendable {
    /// One message.
    package struct Message: Sendable {
        /// The text of the message.
        package let json: [UInt8]
        /// The number of the step in its run; `nil` for a message that is not a step.
        package let seq: UInt64?
    }

    private let runID: RunID
    private let form: LiveForm
    private var steps: HistorySteps
    private var batch: ArraySlice<StepRecord> = []
    private var hasReadAll = false
    private var needsReset: Bool
    private var encoder = StepMessages()
    private var writer = JSONWriter()
    /// The structures whose layers the client has.
    package private(set) var structures: SentStructures

    /// Reads the first steps, so that a source that cannot be read fails before anything is sent.
    ///
    /// - Parameters:
    ///   - history: the run and its steps.
    ///   - form: the form of the messages.
    ///   - structures: the structures whose layers the client has.
    /// - Throws: `StoreError` if the steps cannot be read.
    package init(
        _ history: RunHistory, form: LiveForm, structures: SentStructures
    ) async throws(StoreError) {
        runID = history.id
        self.form = form
        steps = history.steps
        needsReset = history.isReset == true
        self.structures = structures
        try await readBatch()
    }

    /// The expected size of the largest message, in bytes, judged by the steps that have been read.
    package var expectedMessage: Int {
        var isStructureShared = false
        if case .columns(let form) = form { isStructureShared = form.isStructureShared }
        return batch.reduce(0) { largest, record in
            let layers = isStructureShared ? LiveMessages.largestStructureSize(record, of: runID) : 0
            return max(largest, StepEncoder.estimatedSize(record), layers)
        }
    }

    /// The next message; `nil` at the end.
    ///
    /// - Throws: `StoreError` if the steps cannot be read; the history cannot be continued then.
    package mutating func next() async throws(StoreError) -> Message? {
        writer.removeAll()
        if needsReset {
            needsReset = false
            LiveMessages.appendReset(of: runID, to: &writer)
            return Message(json: writer.bytes, seq: nil)
        }
        if batch.isEmpty, !hasReadAll { try await readBatch() }
        guard let record = batch.first else { return nil }
        if needsLayers(record) {
            LiveMessages.appendStructure(record, of: runID, to: &writer)
            return Message(json: writer.bytes, seq: nil)
        }
        batch.removeFirst()
        encoder.append(record, of: runID, form, to: &writer)
        return Message(json: writer.bytes, seq: record.seq)
    }

    /// Whether the layers of a step must be sent before it. They then count as sent.
    private mutating func needsLayers(_ record: StepRecord) -> Bool {
        guard case .columns(let form) = form, form.isStructureShared, record.layerCount > 0 else { return false }
        return structures.insert(record.structure)
    }

    private mutating func readBatch() async throws(StoreError) {
        batch = try await steps.nextBatch()[...]
        hasReadAll = batch.isEmpty
    }
}
