import NIOCore
import NIOWebSocket

/// The payload of a close frame (RFC 6455 section 5.5.1): empty, or a code and a reason.
enum CloseFrame {
    /// Parses the payload of the peer's close frame.
    ///
    /// - Returns: the code; `nil` if the payload is empty.
    /// - Throws: a violation if the code is not allowed or the reason is not UTF-8.
    static func code(_ payload: ByteBuffer) throws(WebSocketViolation) -> WebSocketErrorCode? {
        var payload = payload
        if payload.readableBytes == 0 { return nil }
        guard let number = payload.readInteger(as: UInt16.self), isAllowed(number) else {
            throw .protocolError("invalid close code")
        }
        var text = UTF8Validator()
        guard text.accepts(payload.readableBytesView), text.isComplete else { throw .invalidText }
        return WebSocketErrorCode(codeNumber: Int(number))
    }

    /// Returns true for the codes that RFC 6455 section 7.4 and the IANA registry allow in a frame, including the
    /// ranges for libraries and applications.
    private static func isAllowed(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// Encodes a code and a reason, truncated to the maximum payload of a control frame (125 bytes).
    static func payload(_ code: WebSocketErrorCode, reason: String) -> ByteBuffer {
        var payload = ByteBuffer()
        payload.write(webSocketErrorCode: code)
        var text = Substring(reason)
        while text.utf8.count > 123 { text.removeLast() }
        payload.writeSubstring(text)
        return payload
    }
}
