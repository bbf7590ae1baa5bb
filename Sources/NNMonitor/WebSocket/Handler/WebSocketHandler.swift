package import NIOCore
import NIOWebSocket

/// One WebSocket connection behind the handshake: bytes on the network's side, messages on the application's.
///
/// Answers pings, keeps the connection alive with its own, and does the close handshake. Reads on only when the channel
/// is asked to: an application that holds back `read` holds back the peer, and a peer that asks without taking the answers
/// is held back here. What is written after the close handshake
/// began fails with `ChannelError.ioOnClosedChannel`, what breaks the order of frames with `WebSocketSendError`.
package final class WebSocketHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = WebSocketMessage
    package typealias OutboundIn = WebSocketOutbound
    package typealias OutboundOut = ByteBuffer

    enum State {
        case open
        /// We sent a close frame; what still comes is read for the peer's.
        case closing
        /// Both sides are done; the channel closes when the last bytes are out.
        case finished
    }

    let configuration: WebSocketConfiguration
    private let deflate: DeflateParameters?
    private var receiver: MessageReceiver
    private var unread = ByteBuffer()
    private var order = OutgoingOrder()
    var isReadHeldBack = false
    var keepAlive = KeepAlive()
    var state = State.open
    /// When our close frame is out.
    var closeFrameSent: EventLoopFuture<Void>?
    var pingTimer: Scheduled<Void>?
    var pongTimer: Scheduled<Void>?
    var closeTimer: Scheduled<Void>?

    /// - Parameters:
    ///   - configuration: limits and times.
    ///   - deflate: what the handshake negotiated.
    package init(configuration: WebSocketConfiguration, deflate: DeflateParameters?) {
        self.configuration = configuration
        self.deflate = deflate
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
        if state == .open && !context.channel.isWritable {
            isReadHeldBack = true
            keepAlive.readHeldBack()
        } else {
            if keepAlive.readBegan() { awaitPong(context) }
            context.read()
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isReadHeldBack && context.channel.isWritable {
            isReadHeldBack = false
            read(context: context)
        }
        context.fireChannelWritabilityChanged()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        keepAlive.heard()
        guard state != .finished else { return }
        var bytes = unwrapInboundIn(data)
        if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
        do throws(WebSocketViolation) {
            while state != .finished, let event = try receiver.next(&unread) { handle(event, context) }
        } catch {
            fail(error, context)
        }
        // An idle connection holds no buffer: at most the beginning of a header stays.
        if unread.readableBytes == 0 || state == .finished { unread = ByteBuffer() } else { unread.discardReadBytes() }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        keepAlive.readEnded()
        context.fireChannelReadComplete()
        // The peer's half of the close handshake is read for also where the application has stopped reading.
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

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: beginClose(.goingAway, reason: "the server stops", context)
        // Nothing can come any more, no close frame either.
        case ChannelEvent.inputClosed: drop(context)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        drop(context)
        context.fireErrorCaught(error)
    }

    // MARK: From the application

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state == .open else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        do throws(WebSocketSendError) {
            switch unwrapOutboundIn(data) {
            case .text(let payload):
                try order.admitMessage()
                // Not kept: zlib's state for a connection that sends little would be far larger than what it sends.
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
            // Said twice, since many a write has no promise.
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
