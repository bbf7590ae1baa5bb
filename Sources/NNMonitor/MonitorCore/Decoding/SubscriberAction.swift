import Foundations

/// A request from a subscriber over the WebSocket (API.md, section "WebSocket: GET /ws").
package enum SubscriberAction: Sendable, Equatable {
    /// Requests the history of a run.
    case subscribe(runID: RunID, form: StepForm)
    /// Requests a pong.
    case ping

    /// The reason that a message was rejected. The text is sent to the client.
    package struct Misunderstood: Error, Sendable, Equatable {
        /// One sentence for the user.
        package let message: String
    }

    /// Decodes a text message.
    ///
    /// - Parameter bytes: the message: UTF-8 JSON.
    /// - Returns: the action, or the reason that the message was rejected.
    package static func decode(_ bytes: UnsafeRawBufferPointer) -> Result<SubscriberAction, Misunderstood> {
        // The reader does not outlive the closure that provides the buffer. Rebinding bytes to `UInt8` is always valid.
        unsafe bytes.withMemoryRebound(to: UInt8.self) { buffer in
            var reader = unsafe JSONReader(buffer)
            do throws(JSONSyntaxError) {
                reader.skipWhitespace()
                return try ActionFields(&reader).decoded()
            } catch {
                return .failure(Misunderstood(message: "Invalid JSON format"))
            }
        }
    }

    /// Decodes a text message.
    ///
    /// - Parameter bytes: the message: UTF-8 JSON.
    /// - Returns: the action, or the reason that the message was rejected.
    package static func decode(_ bytes: [UInt8]) -> Result<SubscriberAction, Misunderstood> {
        // The pointer is used only inside the closure; the result holds no reference to it.
        unsafe bytes.withUnsafeBytes { unsafe decode($0) }
    }
}

/// The fields of an action, of any type. The last of duplicate keys counts.
private struct ActionFields {
    enum Value {
        case absent
        case text(ByteString)
        case bool(Bool)
        case other
    }

    private var isObject = true
    private var action = Value.absent
    private var runID = Value.absent
    private var lite = Value.absent

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
            var name: [UInt8] = []
            _ = reader.append(key, to: &name)
            switch ByteString(decoding: name) {
            case "action": action = try Self.value(&reader)
            case "run_id": runID = try Self.value(&reader)
            case "lite": lite = try Self.value(&reader)
            default: try reader.skipValue()
            }
        }
        try reader.finish()
    }

    private static func value(_ reader: inout JSONReader) throws(JSONSyntaxError) -> Value {
        switch reader.next {
        case UInt8(ascii: "\""):
            var text: [UInt8] = []
            let raw = try reader.string()
            return reader.append(raw, to: &text) ? .text(ByteString(decoding: text)) : .other
        case UInt8(ascii: "t"):
            try reader.consumeWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try reader.consumeWord("false")
            return .bool(false)
        default:
            try reader.skipValue()
            return .other
        }
    }

    func decoded() -> Result<SubscriberAction, SubscriberAction.Misunderstood> {
        func failure(_ message: String) -> Result<SubscriberAction, SubscriberAction.Misunderstood> {
            .failure(SubscriberAction.Misunderstood(message: message))
        }
        guard isObject else { return failure("A message must be a JSON object with an \"action\"") }
        switch action {
        case .absent: return failure("The message has no \"action\"")
        case .text("ping"): return .success(.ping)
        case .text("subscribe_run"): break
        case .text(let name): return failure("Unknown action '\(name.text.prefix(64))'")
        default: return failure("\"action\" must be a string")
        }
        let form: StepForm
        switch lite {
        case .absent, .bool(false): form = .full
        case .bool(true): form = .lite
        default: return failure("\"lite\" must be true or false")
        }
        switch runID {
        case .text(let id): return .success(.subscribe(runID: id, form: form))
        case .absent: return failure("subscribe_run needs a \"run_id\"")
        default: return failure("\"run_id\" must be a string")
        }
    }
}
