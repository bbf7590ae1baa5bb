package import NIOCore
package import NIOWebSocket

/// A whole message from the peer.
package enum WebSocketMessage: Sendable, Equatable {
    /// Text: valid UTF-8.
    case text(ByteBuffer)
    /// Any bytes.
    case binary(ByteBuffer)
}

/// What the application sends.
package enum WebSocketOutbound: Sendable {
    /// A text message: UTF-8, which the caller vouches for.
    case text(ByteBuffer)
    /// A binary message.
    case binary(ByteBuffer)
    /// The ready bytes of one frame, written as they are: made by `WebSocketFrameEncoder` or `WebSocketTextPieces`, away
    /// from the event loop, and perhaps for many connections.
    case prepared(ByteBuffer)
    /// Begins the close handshake. Nothing can be sent after it.
    case close(WebSocketErrorCode, reason: String)
}

/// How the peer broke the protocol: the code that the connection is closed with, and why.
package struct WebSocketViolation: Error, Equatable, Sendable {
    /// The close code of RFC 6455 section 7.4.1.
    package let code: WebSocketErrorCode
    /// A few words, sent as the reason.
    package let reason: String

    static func protocolError(_ reason: String) -> WebSocketViolation { .init(code: .protocolError, reason: reason) }
    static let invalidText = WebSocketViolation(code: .dataInconsistentWithMessage, reason: "invalid UTF-8")
    static let tooLarge = WebSocketViolation(code: .messageTooLarge, reason: "message too large")
}
