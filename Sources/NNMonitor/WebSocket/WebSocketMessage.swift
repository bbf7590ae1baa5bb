package import NIOCore
package import NIOWebSocket

/// A complete message from the peer.
package enum WebSocketMessage: Sendable, Equatable {
    /// A text message, validated as UTF-8.
    case text(ByteBuffer)
    /// A binary message.
    case binary(ByteBuffer)
}

/// A write of the application.
package enum WebSocketOutbound: Sendable {
    /// A text message in UTF-8, which the handler does not validate.
    case text(ByteBuffer)
    /// A binary message.
    case binary(ByteBuffer)
    /// One encoded frame, written unchanged. `WebSocketFrameEncoder` or `FragmentedTextEncoder` makes it, possibly off
    /// the event loop and for many connections.
    case prepared(ByteBuffer)
    /// Starts the close handshake; later writes fail.
    case close(WebSocketErrorCode, reason: String)
}

/// A violation of the protocol by the peer, with the code and reason of our close frame.
package struct WebSocketViolation: Error, Equatable, Sendable {
    /// The close code of RFC 6455 section 7.4.1.
    package let code: WebSocketErrorCode
    /// The reason, a few words in English.
    package let reason: String

    static func protocolError(_ reason: String) -> WebSocketViolation { .init(code: .protocolError, reason: reason) }
    static let invalidText = WebSocketViolation(code: .dataInconsistentWithMessage, reason: "invalid UTF-8")
    static let tooLarge = WebSocketViolation(code: .messageTooLarge, reason: "message too large")
    static let expandsTooMuch = WebSocketViolation(
        code: .policyViolation, reason: "a compressed message expands too much")
    static let tooManyMessages = WebSocketViolation(code: .policyViolation, reason: "too many messages")
}
