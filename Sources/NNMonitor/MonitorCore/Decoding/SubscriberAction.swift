import Foundations

/// A request from a subscriber over the WebSocket (API.md, section "WebSocket: GET /ws").
package enum SubscriberAction: Sendable, Equatable {
    /// Requests the history of a run.
    case subscribe(RunSubscription)
    /// Replaces what is sent from now on.
    case watch(WatchRequest)
    /// Requests a pong.
    case ping

    /// The reason that a message was rejected. The text is sent to the client.
    package struct InvalidAction: Error, Sendable, Equatable {
        /// One sentence for the user.
        package let message: String
    }

    /// Decodes a text message.
    ///
    /// - Parameter bytes: the message: UTF-8 JSON.
    /// - Returns: the action, or the reason that the message was rejected.
    package static func decode(_ bytes: UnsafeRawBufferPointer) -> Result<SubscriberAction, InvalidAction> {
        // The reader does not outlive the closure that provides the buffer. Rebinding bytes to `UInt8` is always valid.
        unsafe bytes.withMemoryRebound(to: UInt8.self) { buffer in
            var reader = unsafe JSONReader(buffer)
            let fields: ActionFields
            do throws(JSONSyntaxError) {
                reader.skipWhitespace()
                fields = try ActionFields(&reader)
            } catch {
                return .failure(InvalidAction(message: "Invalid JSON format"))
            }
            do throws(InvalidAction) {
                return .success(try fields.action())
            } catch {
                return .failure(error)
            }
        }
    }

    /// Decodes a text message.
    ///
    /// - Parameter bytes: the message: UTF-8 JSON.
    /// - Returns: the action, or the reason that the message was rejected.
    package static func decode(_ bytes: [UInt8]) -> Result<SubscriberAction, InvalidAction> {
        // The pointer is used only inside the closure; the result holds no reference to it.
        unsafe bytes.withUnsafeBytes { unsafe decode($0) }
    }
}

/// The action `subscribe_run`.
package struct RunSubscription: Sendable, Equatable {
    /// The run.
    package var runID: RunID
    /// The form of the history and, if `isAdded`, of later steps.
    package var form = LiveForm.nested(.full)
    /// Requests only the steps that changed after this one; `nil` for all steps.
    package var sinceSeq: UInt64?
    /// The run's `created_at` as the client knows it: if it differs, the run is another one with the same id.
    package var createdAt: String?
    /// The largest number of steps that the client wants; `nil` for no limit.
    package var limit: Int?
    /// Whether later steps of this run come in the form of the history.
    package var isAdded = false

    /// Makes a request; see the properties.
    package init(
        runID: RunID, form: LiveForm = .nested(.full), sinceSeq: UInt64? = nil, createdAt: String? = nil,
        limit: Int? = nil
    ) {
        self.runID = runID
        self.form = form
        self.sinceSeq = sinceSeq
        self.createdAt = createdAt
        self.limit = limit
    }
}

/// The action `watch`.
package struct WatchRequest: Sendable, Equatable {
    /// The runs, in the order of the message; `nil` for all.
    package var runIDs: [RunID]?
    /// The form of their messages.
    package var form = LiveForm.nested(.full)
}

/// The fields of an action, of any type. The last of duplicate keys counts.
private struct ActionFields {
    enum Value {
        case absent
        case text(ByteString)
        case bool(Bool)
        case integer(Int64)
        case texts([ByteString])
        case other
    }

    private typealias InvalidAction = SubscriberAction.InvalidAction

    private var isObject = true
    private var values: [ByteString: Value] = [:]
    private static let names: Set<ByteString> = [
        "action", "run_id", "lite", "run_ids", "form", "metrics", "layers", "since_seq", "created_at", "limit",
    ]

    init(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        guard reader.next == UInt8(ascii: "{") else {
            isObject = false
            try reader.skipValue()
            try reader.finish()
            return
        }
        try reader.open()
        var first = true
        while let key = try reader.nextKey(first: &first) {
            var bytes: [UInt8] = []
            _ = reader.append(key, to: &bytes)
            let name = ByteString(decoding: bytes)
            if Self.names.contains(name) {
                values[name] = try Self.value(&reader)
            } else {
                try reader.skipValue()
            }
        }
        try reader.finish()
    }

    private static func value(_ reader: inout JSONReader) throws(JSONSyntaxError) -> Value {
        switch reader.next {
        case UInt8(ascii: "\""): return try text(&reader).map { .text($0) } ?? .other
        case UInt8(ascii: "t"):
            try reader.consumeWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try reader.consumeWord("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try reader.consumeWord("null")
            return .absent
        case UInt8(ascii: "["): return try list(&reader)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            if case .value(let integer) = reader.integer(try reader.number()) { return .integer(integer) }
            return .other
        default:
            try reader.skipValue()
            return .other
        }
    }

    private static func list(_ reader: inout JSONReader) throws(JSONSyntaxError) -> Value {
        try reader.open()
        var texts: [ByteString]? = []
        var first = true
        while try reader.nextElement(first: &first) {
            if reader.next == UInt8(ascii: "\""), let text = try text(&reader) {
                texts?.append(text)
            } else {
                if reader.next != UInt8(ascii: ",") && reader.next != UInt8(ascii: "]") { try reader.skipValue() }
                texts = nil
            }
        }
        return texts.map { .texts($0) } ?? .other
    }

    /// A string; `nil` if it has half of a surrogate pair. The reader is then behind the string.
    private static func text(_ reader: inout JSONReader) throws(JSONSyntaxError) -> ByteString? {
        var bytes: [UInt8] = []
        let raw = try reader.string()
        return reader.append(raw, to: &bytes) ? ByteString(decoding: bytes) : nil
    }

    // MARK: Actions

    func action() throws(SubscriberAction.InvalidAction) -> SubscriberAction {
        guard isObject else { throw InvalidAction(message: "A message must be a JSON object with an \"action\"") }
        switch self["action"] {
        case .absent: throw InvalidAction(message: "The message has no \"action\"")
        case .text("ping"): return .ping
        case .text("subscribe_run"): return .subscribe(try subscription())
        case .text("watch"): return .watch(try watchRequest())
        case .text(let name): throw InvalidAction(message: "Unknown action '\(name.text.prefix(64))'")
        default: throw InvalidAction(message: "\"action\" must be a string")
        }
    }

    private func subscription() throws(SubscriberAction.InvalidAction) -> RunSubscription {
        let isLite = try bool("lite") ?? false
        guard let runID = try text("run_id") else {
            throw InvalidAction(message: "subscribe_run needs a \"run_id\"")
        }
        var subscription = RunSubscription(runID: runID)
        let form = try form()
        guard form != .runs else {
            throw InvalidAction(message: "\"form\" must be \"full\", \"lite\" or \"columns\" in subscribe_run")
        }
        subscription.form = form ?? .nested(isLite ? .lite : .full)
        subscription.sinceSeq = try integer("since_seq").map { UInt64($0) }
        subscription.createdAt = try text("created_at")?.text
        subscription.limit = try integer("limit").map { Int($0) }
        subscription.isAdded = form != nil || subscription.sinceSeq != nil
        return subscription
    }

    private func watchRequest() throws(SubscriberAction.InvalidAction) -> WatchRequest {
        WatchRequest(runIDs: try texts("run_ids"), form: try form() ?? .nested(.full))
    }

    /// The form with its selection of metrics; `nil` if no form is named.
    private func form() throws(SubscriberAction.InvalidAction) -> LiveForm? {
        let metrics = try texts("metrics")
        let hasLayers = try bool("layers") ?? true
        switch try text("form") {
        case nil: return nil
        case "full": return .nested(.full)
        case "lite": return .nested(.lite)
        case "columns":
            return .columns(OpenStepForm(metrics: metrics.map { Set($0) }, isStructureShared: !hasLayers))
        case "runs": return .runs
        default:
            throw InvalidAction(message: "\"form\" must be \"full\", \"lite\", \"columns\" or \"runs\"")
        }
    }

    // MARK: Values

    private subscript(name: ByteString) -> Value { values[name] ?? .absent }

    private func text(_ name: ByteString) throws(SubscriberAction.InvalidAction) -> ByteString? {
        switch self[name] {
        case .absent: return nil
        case .text(let text): return text
        default: throw InvalidAction(message: "\"\(name)\" must be a string")
        }
    }

    private func bool(_ name: ByteString) throws(SubscriberAction.InvalidAction) -> Bool? {
        switch self[name] {
        case .absent: return nil
        case .bool(let value): return value
        default: throw InvalidAction(message: "\"\(name)\" must be true or false")
        }
    }

    private func integer(_ name: ByteString) throws(SubscriberAction.InvalidAction) -> Int64? {
        switch self[name] {
        case .absent: return nil
        case .integer(let value) where value >= 0: return value
        default: throw InvalidAction(message: "\"\(name)\" must be a whole number of at least 0")
        }
    }

    private func texts(_ name: ByteString) throws(SubscriberAction.InvalidAction) -> [ByteString]? {
        switch self[name] {
        case .absent: return nil
        case .texts(let texts): return texts
        default: throw InvalidAction(message: "\"\(name)\" must be a list of strings")
        }
    }
}
