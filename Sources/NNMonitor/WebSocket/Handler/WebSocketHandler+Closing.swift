import NIOCore
import NIOWebSocket

/// The close handshake (RFC 6455 section 7), bounded by `closeTimeout`.
extension WebSocketHandler {
    /// Sends our close frame, and waits for the peer's.
    func beginClose(_ code: WebSocketErrorCode, reason: String, _ context: ChannelHandlerContext) {
        guard state == .open else { return }
        sendClose(CloseFrame.payload(code, reason: reason), context)
        state = .closing
        stopKeepAlive()
        // A peer that has stopped reading gets no close frame and sends none: ask for what it still has to say.
        isReadHeldBack = false
        context.read()
        scheduleClose(context)
    }

    /// The peer broke the protocol: say so, and read no more of what it sends.
    func fail(_ violation: WebSocketViolation, _ context: ChannelHandlerContext) {
        if state == .open { sendClose(CloseFrame.payload(violation.code, reason: violation.reason), context) }
        guard state != .finished else { return }
        state = .finished
        stopKeepAlive()
        // Keep reading, and drop what comes, until the peer closes or its time is up. Closing at once with unread bytes
        // would reset the connection, and the peer might never see the close frame.
        context.close(mode: .output, promise: nil)
        context.read()
        scheduleClose(context)
    }

    /// Both sides have said all: closes the channel once our close frame, and what was written before it, is out.
    func finish(_ context: ChannelHandlerContext) {
        guard state != .finished else { return }
        state = .finished
        stopKeepAlive()
        scheduleClose(context)
        closeFrameSent?.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    /// Closes the channel at once and without a word.
    func drop(_ context: ChannelHandlerContext) {
        state = .finished
        stopKeepAlive()
        context.close(promise: nil)
    }

    func sendClose(_ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        let promise = context.eventLoop.makePromise(of: Void.self)
        closeFrameSent = promise.futureResult
        send(.connectionClose, payload, context, promise: promise)
    }

    private func scheduleClose(_ context: ChannelHandlerContext) {
        closeTimer?.cancel()
        closeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.closeTimeout) {
            context.close(promise: nil)
        }
    }
}
