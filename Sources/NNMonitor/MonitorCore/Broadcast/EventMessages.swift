import Foundations

/// A message of an event: subscribers with equal kinds get the same text.
enum MessageKind: Hashable {
    /// A step, in a form other than `runs`.
    case step(LiveForm)
    /// What a run is, as its entry in the listing.
    case runEntry
    /// Any other event. All subscribers get the same message.
    case other

    /// The message that a subscriber gets; `nil` if none.
    init?(_ event: StoreEvent, for interest: Interest) {
        switch event {
        case .stored(let step):
            guard let form = interest.form(of: step.runID), form != .runs else { return nil }
            self = .step(form)
        case .removed(let run):
            guard interest.form(of: run.runID) != nil else { return nil }
            self = .other
        case .run(let change):
            guard interest.includesChanges(of: change.run.id) else { return nil }
            let isEntry = interest.form(of: change.run.id) == .runs
            if change.isProgress && !isEntry { return nil }
            self = isEntry ? .runEntry : .other
        case .alert(let alert):
            guard interest.includesChanges(of: alert.runID) else { return nil }
            self = .other
        case .reset(let reset):
            guard interest.includesResets(of: reset.runID) else { return nil }
            self = .other
        case .void: return nil
        }
    }
}

/// Encodes the messages of one event after the other, each kind once.
struct EventMessages: Sendable {
    private let link: RunLink
    private var event: StoreEvent?
    private var texts: [MessageKind: [UInt8]] = [:]
    private var writer = JSONWriter()
    private var steps = StepMessages()
    /// The message with the layers that steps of the last structure need.
    private var layers: (runID: RunID, id: StructureID, json: [UInt8])?

    /// - Parameter link: the prefix of links in alerts.
    init(link: RunLink = .none) { self.link = link }

    /// Begins with the next event.
    mutating func begin(_ event: StoreEvent) {
        self.event = event
        texts.removeAll(keepingCapacity: true)
    }

    /// The text of a message.
    mutating func json(_ kind: MessageKind) -> [UInt8] {
        if let text = texts[kind] { return text }
        writer.removeAll()
        encode(kind)
        texts[kind] = writer.bytes
        return writer.bytes
    }

    /// The message with the layers of a step that has only the identifier of its structure; `nil` for other messages.
    mutating func layers(_ kind: MessageKind) -> (id: StructureID, json: [UInt8])? {
        guard case .step(.columns(let form)) = kind, form.isStructureShared, case .stored(let step) = event,
            step.record.layerCount > 0
        else { return nil }
        let id = step.record.structure
        if let layers, layers.id == id, layers.runID == step.runID { return (id, layers.json) }
        var writer = JSONWriter()
        LiveMessages.appendStructure(step.record, of: step.runID, to: &writer)
        layers = (step.runID, id, writer.bytes)
        return (id, writer.bytes)
    }

    private mutating func encode(_ kind: MessageKind) {
        switch (event, kind) {
        case (.stored(let step), .step(let form)): steps.append(step.record, of: step.runID, form, to: &writer)
        case (.removed(let run), _):
            writer.literal("{\"type\":\"run_deleted\",\"run_id\":")
            writer.string(run.runID.text)
            writer.literal(",\"reason\":")
            writer.string(run.reason.name)
            writer.byte(UInt8(ascii: "}"))
        case (.run(let change), let kind):
            LiveMessages.appendRun(change.run, kind == .runEntry ? .entry : .message, to: &writer)
        case (.alert(let alert), _):
            writer.literal("{\"type\":\"alert\",\"run_id\":")
            writer.string(alert.runID.text)
            writer.literal(",\"data\":")
            AlertEncoder(alert.runID, link: link).append(alert.alert, to: &writer)
            writer.byte(UInt8(ascii: "}"))
        case (.reset(let reset), _):
            LiveMessages.appendReset(of: reset.runID, fromStep: reset.fromStep, to: &writer)
        default: break
        }
    }
}

/// Messages that are not the text of an event.
package enum LiveMessages {
    /// Appends the message with the layers of a step's structure.
    package static func appendStructure(_ record: StepRecord, of runID: RunID, to writer: inout JSONWriter) {
        writer.literal("{\"type\":\"structure\",\"run_id\":")
        writer.string(runID.text)
        writer.literal(",\"structure\":")
        writer.string(record.structure.text)
        writer.literal(",\"layers\":")
        LayerListEncoder.append(record, to: &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    /// A size that this message does not exceed, in bytes.
    package static func largestStructureSize(_ record: StepRecord, of runID: RunID) -> Int {
        // The tables hold every text of a layer, most as the message has it; the rest are keys and numbers.
        256 + 6 * runID.byteCount + 128 * record.layerCount + record.table.memory + record.shapes.memory
    }

    /// Appends the message that a client must forget steps of a run.
    ///
    /// - Parameters:
    ///   - runID: the run.
    ///   - fromStep: the lowest step to forget; `nil` for all.
    ///   - writer: receives the message.
    static func appendReset(of runID: RunID, fromStep: Int64? = nil, to writer: inout JSONWriter) {
        writer.literal("{\"type\":\"reset\",\"run_id\":")
        writer.string(runID.text)
        if let fromStep {
            writer.literal(",\"from_step\":")
            writer.integer(fromStep)
        }
        writer.byte(UInt8(ascii: "}"))
    }

    /// Appends the message with what a run is.
    static func appendRun(_ run: RunDescription, _ form: RunForm, to writer: inout JSONWriter) {
        writer.literal("{\"type\":\"run\",\"run_id\":")
        writer.string(run.id.text)
        writer.literal(",\"data\":")
        RunEncoder.append(run, form, to: &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    /// Appends the answer to `watch`.
    package static func appendWatching(_ request: WatchRequest, to writer: inout JSONWriter) {
        writer.literal("{\"type\":\"watching\",\"run_ids\":")
        append(request.runIDs, to: &writer)
        writer.literal(",\"form\":")
        switch request.form {
        case .nested(.full): writer.string("full")
        case .nested(.lite): writer.string("lite")
        case .runs: writer.string("runs")
        case .columns(let form):
            writer.string("columns")
            writer.literal(",\"metrics\":")
            append(form.metrics.map { $0.sorted { $0.text < $1.text } }, to: &writer)
            writer.literal(form.isStructureShared ? ",\"layers\":false" : ",\"layers\":true")
        }
        writer.byte(UInt8(ascii: "}"))
    }

    private static func append(_ texts: [RunID]?, to writer: inout JSONWriter) {
        guard let texts else { return writer.literal("null") }
        writer.byte(UInt8(ascii: "["))
        for (index, text) in texts.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.string(text.text)
        }
        writer.byte(UInt8(ascii: "]"))
    }
}
