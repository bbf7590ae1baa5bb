import NIOCore

/// A message that the application sent in the wrong order and that was not written. Earlier writes are not affected.
package enum WebSocketSendError: Error, Equatable, Sendable {
    /// A message was sent between the fragments of another one (RFC 6455 section 5.4).
    case messageUnderWay
    /// A continuation frame was sent without a fragmented message to continue.
    case nothingToContinue
}

/// Checks the order of outgoing frames: a fragmented message must end before another message starts.
struct FragmentOrderCheck {
    private var isFragmented = false

    /// Checks an unfragmented message.
    func admitMessage() throws(WebSocketSendError) {
        if isFragmented { throw .messageUnderWay }
    }

    /// Checks an encoded frame by its first byte. Control frames are allowed anywhere.
    mutating func admit(frame: ByteBuffer) throws(WebSocketSendError) {
        guard let first = frame.getInteger(at: frame.readerIndex, as: UInt8.self), first & 0x08 == 0 else { return }
        let isContinuation = first & 0x0F == 0
        if isContinuation && !isFragmented { throw .nothingToContinue }
        if !isContinuation && isFragmented { throw .messageUnderWay }
        isFragmented = first & 0x80 == 0
    }
}
