import NIOCore
import NIOWebSocket

/// The close handshake (RFC 6455 section 7), limited by `closeTimeout`.
extension WebSocketHandler {
    /// Sends our close frame and waits for the peer's.
    func beginClose(_ code: WebSocketErrorCode, reason: String, _ context: ChannelHandlerContext) {
        guard state == .open else { return }
        sendClose(CloseFrame.payload(code, reason: reason), context)
        state = .closing
        stopKeepAlive()
        // Read even if the channel is not writable or the application does not read: the peer's close frame must
        // arrive.
        isReadHeldBack = false
        readOn(context)
        scheduleClose(context)
    }

    /// Ends the connection after a violation by the peer: sends a close frame and discards further input.
    func fail(_ violation: WebSocketViolation, _ context: ChannelHandlerContext) {
        if state == .open { sendClose(CloseFrame.payload(violation.code, reason: violation.reason), context) }
        guard state != .finished else { return }
        state = .finished
        hasKeptInput = false
        stopKeepAlive()
        // Read and discard until the peer closes or the timeout passes. Closing with unread bytes in the socket would
        // reset the connection, and the peer might lose the close frame.
        context.close(mode: .output, promise: nil)
        context.read()
        scheduleClose(context)
    }

    /// Both close frames were exchanged: closes the channel once ours, and the writes before it, have been sent.
    func finish(_ context: ChannelHandlerContext) {
        guard state != .finished else { return }
        state = .finished
        stopKeepAlive()
        scheduleClose(context)
        closeFrameSent?.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }

    /// Closes the channel immediately, without a close frame.
    func drop(_ context: ChannelHandlerContext) {
        state = .finished
        hasKeptInput = false
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
