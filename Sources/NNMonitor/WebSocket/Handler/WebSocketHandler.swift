package import NIOCore
import NIOWebSocket

/// A WebSocket connection after the opening handshake: bytes towards the network, messages towards the application.
///
/// The handler responds to pings, sends its own as keep-alive, and performs the close handshake. It applies
/// backpressure in both directions: the channel reads only when the application does, and not while it is unwritable.
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

    enum State {
        case open
        /// We sent a close frame and wait for the peer's.
        case closing
        /// Input is ignored; the channel closes once the last bytes have been sent.
        case finished
    }

    let configuration: WebSocketConfiguration
    private let deflate: DeflateParameters?
    private var receiver: MessageReceiver
    private var unread = ByteBuffer()
    private var order = FragmentOrderCheck()
    /// Whether `read` was called while the channel was not writable.
    var isReadHeldBack = false
    var keepAlive = KeepAlive()
    var state = State.open
    /// Succeeds once our close frame has been sent.
    var closeFrameSent: EventLoopFuture<Void>?
    var pingTimer: Scheduled<Void>?
    var pongTimer: Scheduled<Void>?
    var closeTimer: Scheduled<Void>?

    /// Makes the handler of one connection.
    ///
    /// - Parameters:
    ///   - configuration: the limits and timeouts.
    ///   - deflate: the negotiated parameters of permessage-deflate; `nil`: no compression.
    package init(configuration: WebSocketConfiguration, deflate: DeflateParameters?) {
        self.configuration = configuration
        self.deflate = deflate
        receiver = MessageReceiver(configuration: configuration, deflate: deflate)
    }

    /// Starts the pings if the channel is already active.
    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { schedulePing(context) }
    }

    /// Starts the pings.
    package func channelActive(context: ChannelHandlerContext) {
        schedulePing(context)
        context.fireChannelActive()
    }

    /// Cancels all timers.
    package func handlerRemoved(context: ChannelHandlerContext) { cancelTimers() }

    /// Cancels all timers.
    package func channelInactive(context: ChannelHandlerContext) {
        state = .finished
        cancelTimers()
        context.fireChannelInactive()
    }

    // MARK: Inbound

    /// Reads from the channel; while it is not writable, the read is held back.
    package func read(context: ChannelHandlerContext) {
        if state == .open && !context.channel.isWritable {
            isReadHeldBack = true
            keepAlive.readHeldBack()
        } else {
            if keepAlive.readBegan() { awaitPong(context) }
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

    /// Parses received bytes and handles their messages and control frames.
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        keepAlive.received()
        guard state != .finished else { return }
        var bytes = unwrapInboundIn(data)
        if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
        do throws(WebSocketViolation) {
            while state != .finished, let event = try receiver.next(&unread) { handle(event, context) }
        } catch {
            fail(error, context)
        }
        // Release the buffer: an idle connection holds at most an incomplete header or control frame.
        if unread.readableBytes == 0 || state == .finished { unread = ByteBuffer() } else { unread.discardReadBytes() }
    }

    /// Reads on during the close handshake.
    package func channelReadComplete(context: ChannelHandlerContext) {
        keepAlive.readEnded()
        context.fireChannelReadComplete()
        // The peer's close frame must be read even if the application does not read.
        if state != .open { context.read() }
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
                sendClose(code.map { CloseFrame.payload($0, reason: "") } ?? ByteBuffer(), context)
            }
            finish(context)
        }
    }

    /// Closes on shutdown of the server and at the end of the input; forwards all events.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: beginClose(.goingAway, reason: "the server is stopping", context)
        // No close frame can arrive any more.
        case ChannelEvent.inputClosed: drop(context)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Closes the channel and forwards the error.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        drop(context)
        context.fireErrorCaught(error)
    }

    // MARK: Outbound

    /// Encodes and writes a message; the promise fails if the connection is closing or the order is wrong.
    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state == .open else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        do throws(WebSocketSendError) {
            switch unwrapOutboundIn(data) {
            case .text(let payload):
                try order.admitMessage()
                // The encoder is not kept: zlib's state would be far larger than the messages of such a connection.
                let frame = WebSocketFrameEncoder(deflate: deflate).text(payload)
                context.write(wrapOutboundOut(frame), promise: promise)
            case .binary(let payload):
                try order.admitMessage()
                let frame = WebSocketFrameEncoder(deflate: deflate).binary(payload)
                context.write(wrapOutboundOut(frame), promise: promise)
            case .prepared(let frame):
                try order.admit(frame: frame)
                context.write(wrapOutboundOut(frame), promise: promise)
            case .close(let code, let reason):
                beginClose(code, reason: reason, context)
                promise?.succeed()
            }
        } catch {
            // Also fired as an error, because a write may have no promise.
            promise?.fail(error)
            context.fireErrorCaught(error)
        }
    }

    /// Writes a control frame.
    func send(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, _ context: ChannelHandlerContext,
        promise: EventLoopPromise<Void>? = nil
    ) {
        var frame = ByteBuffer()
        FrameWriter.append(opcode, payload, to: &frame)
        context.writeAndFlush(wrapOutboundOut(frame), promise: promise)
    }
}

@available(*, unavailable)
extension WebSocketHandler: Sendable {}
