package import NIOCore
import NIOWebSocket

/// One WebSocket connection behind the handshake: bytes on the network's side, messages on the application's.
///
/// Answers pings, keeps the connection alive with its own, and does the close handshake. Reads on only when the channel
/// is asked to: an application that holds back `read` holds back the peer. A peer that asks without taking the answers is
/// held back here.
package final class WebSocketHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = WebSocketMessage
    package typealias OutboundIn = WebSocketOutbound
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case open
        /// We sent a close frame; what still comes is read for the peer's.
        case closing
        /// Both sides are done; the channel closes when the last bytes are out.
        case finished
    }

    private let configuration: WebSocketConfiguration
    private let encoder: WebSocketFrameEncoder
    private var receiver: MessageReceiver
    private var unread = ByteBuffer()
    private var state = State.open
    private var heardSincePing = true
    private var isReadHeldBack = false
    private var pingTimer: Scheduled<Void>?
    private var pongTimer: Scheduled<Void>?
    private var closeTimer: Scheduled<Void>?

    /// - Parameters:
    ///   - configuration: limits and times.
    ///   - deflate: what the handshake negotiated.
    package init(configuration: WebSocketConfiguration, deflate: DeflateParameters?) {
        self.configuration = configuration
        encoder = WebSocketFrameEncoder(deflate: deflate)
        receiver = MessageReceiver(configuration: configuration, deflate: deflate)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { schedulePing(context) }
    }

    package func channelActive(context: ChannelHandlerContext) {
        schedulePing(context)
        context.fireChannelActive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { cancelTimers() }

    package func channelInactive(context: ChannelHandlerContext) {
        state = .finished
        cancelTimers()
        context.fireChannelInactive()
    }

    // MARK: From the peer

    package func read(context: ChannelHandlerContext) {
        if state == .open && !context.channel.isWritable { isReadHeldBack = true } else { context.read() }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        readOn(context)
        context.fireChannelWritabilityChanged()
    }

    private func readOn(_ context: ChannelHandlerContext) {
        guard isReadHeldBack, state != .open || context.channel.isWritable else { return }
        isReadHeldBack = false
        context.read()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heardSincePing = true
        guard state != .finished else { return }
        var bytes = unwrapInboundIn(data)
        if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
        do throws(WebSocketViolation) {
            while state != .finished, let event = try receiver.next(&unread) { handle(event, context) }
        } catch {
            fail(error, context)
        }
        unread.discardReadBytes()
    }

    private func handle(_ event: ReceivedEvent, _ context: ChannelHandlerContext) {
        switch event {
        case .message(let message):
            if state == .open { context.fireChannelRead(wrapInboundOut(message)) }
        case .ping(let payload):
            if state == .open { send(.pong, payload, context) }
        case .pong: break
        case .close(let code):
            if state == .open {
                send(.connectionClose, code.map { CloseFrame.payload($0, reason: "") } ?? ByteBuffer(), context)
            }
            finish(context)
        }
    }

    /// The peer broke the protocol: say so, and read no more of what it sends.
    private func fail(_ violation: WebSocketViolation, _ context: ChannelHandlerContext) {
        if state == .open {
            send(.connectionClose, CloseFrame.payload(violation.code, reason: violation.reason), context)
        }
        finish(context, lingering: true)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: beginClose(.goingAway, reason: "the server stops", context)
        case ChannelEvent.inputClosed: finish(context)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        state = .finished
        context.close(promise: nil)
        context.fireErrorCaught(error)
    }

    // MARK: From the application

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state == .open else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .text(let payload): context.write(wrapOutboundOut(encoder.text(payload)), promise: promise)
        case .binary(let payload): context.write(wrapOutboundOut(encoder.binary(payload)), promise: promise)
        case .prepared(let frame): context.write(wrapOutboundOut(frame), promise: promise)
        case .close(let code, let reason):
            beginClose(code, reason: reason, context)
            promise?.succeed()
        }
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        var frame = ByteBuffer()
        FrameWriter.append(opcode, payload, to: &frame)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    // MARK: Closing

    private func beginClose(_ code: WebSocketErrorCode, reason: String, _ context: ChannelHandlerContext) {
        guard state == .open else { return }
        send(.connectionClose, CloseFrame.payload(code, reason: reason), context)
        state = .closing
        pingTimer?.cancel()
        pongTimer?.cancel()
        // A peer that has stopped reading gets no close frame and sends none: ask for what it still has to say.
        isReadHeldBack = false
        context.read()
        scheduleClose(context)
    }

    /// Closes the channel once what was written is out.
    ///
    /// - Parameters:
    ///   - context: of this handler.
    ///   - lingering: keep reading, and drop what comes, until the peer closes or its time is up. Closing at once with
    ///     unread bytes would reset the connection, and the peer might never see the close frame.
    private func finish(_ context: ChannelHandlerContext, lingering: Bool = false) {
        guard state != .finished else { return }
        state = .finished
        pingTimer?.cancel()
        pongTimer?.cancel()
        guard lingering else {
            context.close(promise: nil)
            return
        }
        context.close(mode: .output, promise: nil)
        context.read()
        scheduleClose(context)
    }

    private func scheduleClose(_ context: ChannelHandlerContext) {
        closeTimer?.cancel()
        closeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.closeTimeout) {
            context.close(promise: nil)
        }
    }

    // MARK: Keep-alive

    private func schedulePing(_ context: ChannelHandlerContext) {
        pingTimer?.cancel()
        pingTimer = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.pingInterval) { [self] in
            guard state == .open else { return }
            schedulePing(context)
            // Behind what the peer has not taken yet a ping says nothing; how long that may last is not decided here.
            if context.channel.isWritable { ping(context) }
        }
    }

    private func ping(_ context: ChannelHandlerContext) {
        send(.ping, ByteBuffer(), context)
        // An answer to an earlier ping may still be on its way, and has its own deadline.
        guard pongTimer == nil else { return }
        heardSincePing = false
        pongTimer = context.eventLoop.assumeIsolated().scheduleTask(in: configuration.pongTimeout) { [self] in
            pongTimer = nil
            // Whoever takes nothing is not read from; its answer may be waiting there.
            if !heardSincePing && !isReadHeldBack { context.close(promise: nil) }
        }
    }

    private func cancelTimers() {
        pingTimer?.cancel()
        pongTimer?.cancel()
        closeTimer?.cancel()
    }
}

@available(*, unavailable)
extension WebSocketHandler: Sendable {}
