import NIOCore

/// A message that was not sent, by the application's mistake. What was sent before it is not harmed.
package enum WebSocketSendError: Error, Equatable, Sendable {
    /// Another message was given between the fragments of one (RFC 6455 section 5.4).
    case messageUnderWay
    /// A further fragment was given of a message that has not begun, or has ended.
    case nothingToContinue
}

/// Keeps the order of outgoing frames: a fragmented message is ended before another one begins.
struct OutgoingOrder {
    private var isUnderWay = false

    /// Checks a whole message.
    func admitMessage() throws(WebSocketSendError) {
        if isUnderWay { throw .messageUnderWay }
    }

    /// Checks a prepared frame by its first byte; control frames may stand anywhere.
    mutating func admit(frame: ByteBuffer) throws(WebSocketSendError) {
        guard let first = frame.getInteger(at: frame.readerIndex, as: UInt8.self), first & 0x08 == 0 else { return }
        let isContinuation = first & 0x0F == 0
        if isContinuation && !isUnderWay { throw .nothingToContinue }
        if !isContinuation && isUnderWay { throw .messageUnderWay }
        isUnderWay = first & 0x80 == 0
    }
}
