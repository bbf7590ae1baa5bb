import NIOCore

/// The text of Server-Sent Events (WHATWG HTML, section 9.2).
enum EventText {
    /// A comment: clients ignore it, and it keeps the connection in use.
    static let keepAlive = ByteBuffer(string: ":\n\n")

    /// An id without an event: a client that reconnects sends it back as if it had received the step.
    static func id(_ id: UInt64) -> ByteBuffer { ByteBuffer(string: "id: \(id)\n\n") }

    /// One event.
    ///
    /// - Parameters:
    ///   - json: the data: compact JSON, which has no line end.
    ///   - id: the event's id, which a client that reconnects sends back; `nil` for none.
    /// - Returns: the text.
    static func event(_ json: [UInt8], id: UInt64?) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(json.count + 40)
        append(json, id: id, to: &buffer)
        return buffer
    }

    /// Appends one event; see `event`.
    static func append(_ json: [UInt8], id: UInt64?, to buffer: inout ByteBuffer) {
        if let id { buffer.writeString("id: \(id)\n") }
        buffer.writeStaticString("data: ")
        buffer.writeBytes(json)
        buffer.writeStaticString("\n\n")
    }
}
