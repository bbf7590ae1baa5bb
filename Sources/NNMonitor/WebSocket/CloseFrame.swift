import NIOCore
import NIOWebSocket

/// The payload of a close frame (RFC 6455 section 5.5.1): nothing, or a code and a reason.
enum CloseFrame {
    /// Reads the code of a peer's close frame; `nil` when there is none.
    static func code(_ payload: ByteBuffer) throws(WebSocketViolation) -> WebSocketErrorCode? {
        var payload = payload
        if payload.readableBytes == 0 { return nil }
        guard let number = payload.readInteger(as: UInt16.self), isAllowed(number) else {
            throw .protocolError("invalid close code")
        }
        var text = UTF8Check()
        guard text.accepts(payload.readableBytesView), text.isComplete else { throw .invalidText }
        return WebSocketErrorCode(codeNumber: Int(number))
    }

    /// Whether a code may stand in a frame: those that RFC 6455 section 7.4 and the IANA registry define for it, and the
    /// ranges for libraries and applications.
    private static func isAllowed(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// The payload for a code and a reason, cut to what a control frame holds.
    static func payload(_ code: WebSocketErrorCode, reason: String) -> ByteBuffer {
        var payload = ByteBuffer()
        payload.write(webSocketErrorCode: code)
        var text = Substring(reason)
        while text.utf8.count > 123 { text.removeLast() }
        payload.writeSubstring(text)
        return payload
    }
}
