package import NIOCore
import NIOWebSocket
package import Turns

/// A WebSocket connection after the opening handshake: bytes towards the network, messages towards the application.
///
/// The handler responds to pings, sends its own as keep-alive, and performs the close handshake. It applies
/// backpressure in both directions: the channel reads only when the application does, and not while it is unwritable.
/// Input is handled in turns of bounded work. While input is kept for a later turn, nothing is read from the channel.
/// Writes after the start of the close handshake fail with `ChannelError.ioOnClosedChannel`, writes in the wrong order
/// with `WebSocketSendError`.
package final class WebSocketHandler: ChannelDuplexHandler {
    /// Bytes from the network.
    package typealias InboundIn = ByteBuffer
    /// Messages for the application.
    package typealias InboundOut = WebSocketMessage
    /// Writes of the application.
    package typealias OutboundIn = WebSocketOutbound
    /// Bytes for the network.
    package typealias OutboundOut = ByteBuffer

    private var input: MessageInput
    private var encoder: MessageEncoder
    private let keepAlive: KeepAliveTimers
    private let closing: CloseHandshake
    private var turns: TurnQueue?
    /// Whether `turns` has a turn for this connection.
    private var isTurnRequested = false
    /// Whether the peer has closed its side; the connection ends after the kept input.
    private var isInputClosed = false
    /// Whether `read` was called while the channel was not writable.
    private var isReadHeldBack = false

    /// Makes the handler of one connection.
    ///
    /// - Parameters:
    ///   - configuration: the limits and timeouts.
    ///   - deflate: the negotiated parameters of permessage-deflate; `nil`: no compression.
    ///   - turns: the connections of the event loop that wait for a turn; `nil`: this one alone.
    package init(configuration: WebSocketConfiguration, deflate: DeflateParameters?, turns: TurnQueue? = nil) {
        input = MessageInput(configuration: configuration, deflate: deflate)
        encoder = MessageEncoder(deflate: deflate)
        keepAlive = KeepAliveTimers(interval: configuration.pingInterval, timeout: configuration.pongTimeout)
        closing = CloseHandshake(timeout: configuration.closeTimeout)
        self.turns = turns
    }

    // MARK: Lifecycle

    /// Starts the pings if the channel is already active.
    package func handlerAdded(context: ChannelHandlerContext) {
        if turns == nil { turns = TurnQueue(eventLoop: context.eventLoop) }
        if context.channel.isActive { keepAlive.start(context, for: self) }
    }

    /// Starts the pings.
    package func channelActive(context: ChannelHandlerContext) {
        keepAlive.start(context, for: self)
        context.fireChannelActive()
    }

    /// Cancels all timers.
    package func handlerRemoved(context: ChannelHandlerContext) {
        keepAlive.stop()
        closing.endLimit()
    }

    /// Cancels all timers.
    package func channelInactive(context: ChannelHandlerContext) {
        endInput()
        closing.endLimit()
        context.fireChannelInactive()
    }

    /// Ends the connection at the end of the input; forwards all events.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            // No close frame can arrive any more, except in kept input.
            isInputClosed = true
            if input.isKept { readOn(context) } else { drop(context) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Closes the channel and forwards the error.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        drop(context)
        context.fireErrorCaught(error)
    }

    // MARK: Reading

    /// Reads from the channel; while it is not writable, the read is held back.
    package func read(context: ChannelHandlerContext) {
        if closing.isOpen && !context.channel.isWritable {
            isReadHeldBack = true
            keepAlive.readHeldBack()
        } else if input.isKept {
            // A pong may wait in the channel, which is not read.
            keepAlive.readHeldBack()
            readOn(context)
        } else {
            keepAlive.readBegan(context, for: self)
            context.read()
        }
    }

    /// Continues a read that was held back.
    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isReadHeldBack && context.channel.isWritable {
            isReadHeldBack = false
            read(context: context)
        }
        context.fireChannelWritabilityChanged()
    }

    /// Handles the messages and control frames in the received bytes, as many as one turn may.
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        keepAlive.received()
        guard !closing.isFinished else { return }
        input.append(unwrapInboundIn(data))
        if !input.isKept { handleInput(context) }
    }

    /// Ends the turn, and reads on during the close handshake.
    package func channelReadComplete(context: ChannelHandlerContext) {
        keepAlive.readEnded()
        input.endTurn()
        context.fireChannelReadComplete()
        // The peer's close frame must be read even if the application does not read.
        if !closing.isOpen { readOn(context) }
    }

    // MARK: Turns

    /// Handles input until it is used up or the turn's budget is spent.
    private func handleInput(_ context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        do throws(WebSocketViolation) {
            while !closing.isFinished, let event = try input.next(at: now) { handle(event, context) }
        } catch {
            fail(error, context)
        }
        input.compact()
    }

    /// Reads more input: kept input in a later turn, otherwise from the channel.
    private func readOn(_ context: ChannelHandlerContext) {
        guard input.isKept else { return context.read() }
        guard !isTurnRequested else { return }
        isTurnRequested = true
        turns?.append { [self] in
            isTurnRequested = false
            if input.isKept { takeTurn(context) }
        }
    }

    /// Handles kept input as if it had just been received.
    private func takeTurn(_ context: ChannelHandlerContext) {
        if closing.isOpen && !context.channel.isWritable && !isInputClosed {
            isReadHeldBack = true
            return
        }
        input.resume(roundSize: turns?.roundSize ?? 1)
        handleInput(context)
        input.endTurn()
        context.fireChannelReadComplete()
        if isInputClosed {
            if input.isKept { readOn(context) } else { drop(context) }
        } else if closing.isOpen {
            // As a channel with `autoRead` does; the application may hold the read back.
            context.pipeline.read()
        } else {
            readOn(context)
        }
    }

    private func handle(_ event: ReceivedEvent, _ context: ChannelHandlerContext) {
        switch event {
        case .message(let message):
            if closing.isOpen { context.fireChannelRead(wrapInboundOut(message)) }
        case .ping(let payload):
            if closing.isOpen { send(.pong, payload, context) }
        case .pong: break
        case .close(let code):
            if closing.isOpen {
                sendClose(code.map { CloseFrame.payload($0, reason: "") } ?? ByteBuffer(), context)
            }
            finish(context)
        }
    }

    // MARK: Writing

    /// Encodes and writes a message; the promise fails if the connection is closing or the order is wrong.
    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard closing.isOpen else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        do throws(WebSocketSendError) {
            let frame: ByteBuffer
            switch unwrapOutboundIn(data) {
            case .text(let payload): frame = try encoder.text(payload)
            case .binary(let payload): frame = try encoder.binary(payload)
            case .prepared(let encoded): frame = try encoder.prepared(encoded)
            case .close(let code, let reason):
                beginClose(code, reason: reason, context)
                promise?.succeed()
                return
            }
            context.write(wrapOutboundOut(frame), promise: promise)
        } catch {
            // Also fired as an error, because a write may have no promise.
            promise?.fail(error)
            context.fireErrorCaught(error)
        }
    }

    /// Writes a control frame.
    private func send(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, _ context: ChannelHandlerContext,
        promise: EventLoopPromise<Void>? = nil
    ) {
        var frame = ByteBuffer()
        FrameWriter.append(opcode, payload, to: &frame)
        context.writeAndFlush(wrapOutboundOut(frame), promise: promise)
    }

    // MARK: Closing

    private func sendClose(_ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        send(.connectionClose, payload, context, promise: closing.makeFramePromise(on: context.eventLoop))
    }

    /// Sends our close frame and waits for the peer's.
    private func beginClose(_ code: WebSocketErrorCode, reason: String, _ context: ChannelHandlerContext) {
        sendClose(CloseFrame.payload(code, reason: reason), context)
        guard closing.isOpen else { return }
        closing.begin()
        keepAlive.stop()
        // Read even if the channel is not writable or the application does not read: the peer's close frame must
        // arrive.
        isReadHeldBack = false
        readOn(context)
        closing.limit(context)
    }

    /// Ends the connection after a violation by the peer: sends a close frame and discards further input.
    private func fail(_ violation: WebSocketViolation, _ context: ChannelHandlerContext) {
        if closing.isOpen { sendClose(CloseFrame.payload(violation.code, reason: violation.reason), context) }
        guard !closing.isFinished else { return }
        endInput()
        // Read and discard until the peer closes or the timeout passes. Closing with unread bytes in the socket would
        // reset the connection, and the peer might lose the close frame.
        context.close(mode: .output, promise: nil)
        context.read()
        closing.limit(context)
    }

    /// Both close frames were exchanged: closes the channel once ours, and the writes before it, have been sent.
    private func finish(_ context: ChannelHandlerContext) {
        guard !closing.isFinished else { return }
        endInput()
        closing.limit(context)
        closing.closeWhenSent(context)
    }

    /// Closes the channel immediately, without a close frame.
    private func drop(_ context: ChannelHandlerContext) {
        endInput()
        context.close(promise: nil)
    }

    /// Ends the handling of input and the keep-alive.
    private func endInput() {
        closing.finish()
        input.discard()
        keepAlive.stop()
    }
}

extension WebSocketHandler: KeepAliveTimers.Owner {
    func sendPing(_ context: ChannelHandlerContext) -> Bool {
        // A ping would wait behind unsent data and prove nothing. Stalled writes are limited by the application.
        guard closing.isOpen, context.channel.isWritable else { return false }
        send(.ping, ByteBuffer(), context)
        return true
    }

    func peerIsSilent(_ context: ChannelHandlerContext) { drop(context) }
}

@available(*, unavailable)
extension WebSocketHandler: Sendable {}
