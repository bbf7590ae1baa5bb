package import NIOCore
import NIOTLS

/// The server's side of TLS in a channel: ciphertext towards the network, plaintext towards the application.
///
/// - It begins with the channel and fires `TLSUserEvent.handshakeCompleted(negotiatedProtocol:)`. A handshake that is
///   not complete in time, or fails, fires a `TLSError` and closes.
/// - Where `allowRemoteHalfClosure` is on, the peer's `close_notify` fires `ChannelEvent.inputClosed`, and so does the
///   end of TCP without it, for which a server is to be prepared (RFC 9112 §9.8): HTTP's framing tells what is whole.
///   Where it is off, `close_notify` closes the channel; an end without it fires `TLSError.truncated` first.
/// - `close(mode: .output)` sends what was flushed, then `close_notify`, and shuts the output. `close(mode: .all)`
///   sends `close_notify` and closes as soon as that is out, or after `closeTimeout`; flushed writes that wait for
///   a slow peer fail, and `close_notify` is then left out, so that the peer can tell.
/// - Writes wait here while the channel is not writable; their promises succeed when their last byte is sent.
/// - Somebody who speaks plain HTTP gets an answer that says so; `TLSError.plainHTTP` is fired.
package final class TLSServerHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    let tlsContext: TLSContext
    let handshakeTimeout: TimeAmount
    let closeTimeout: TimeAmount
    let lingerTimeout: TimeAmount
    let maximumControlBytes: Int

    var machine = StateMachine()
    var session: TLSSession?
    var pending = PendingWrites()
    var isPumping = false
    /// The channel's writability has changed while writes were encrypted; the application is told afterwards.
    var owesWritabilityChange = false
    /// Bytes of alerts and key updates that were written since the channel was writable.
    var strandedControlBytes = 0

    /// Completed when the channel closes, or when the output is shut.
    var closePromise: EventLoopPromise<Void>?
    var closeOutputPromise: EventLoopPromise<Void>?
    /// The deadline of the handshake, later that of closing.
    var timer: Scheduled<Void>?

    /// The application has asked for input and has not got any.
    private var isDemanded = false
    /// The handshake has read for itself, so that what follows it was asked for by nobody.
    private var hasReadUnasked = false
    private var transportFailed = false

    /// Makes the handler of one connection.
    ///
    /// - Parameters:
    ///   - context: Certificate, key and policy.
    ///   - handshakeTimeout: How long the handshake may take in all.
    ///   - closeTimeout: How long `close(mode: .all)` waits for `close_notify` to be sent.
    ///   - lingerTimeout: How long a refused peer is listened to, so that it can read the reason.
    ///   - maximumControlBytes: How many bytes of protocol answers may wait for a peer that takes none.
    package init(
        context: TLSContext,
        handshakeTimeout: TimeAmount,
        closeTimeout: TimeAmount = .seconds(5),
        lingerTimeout: TimeAmount = .seconds(2),
        maximumControlBytes: Int = 65536
    ) {
        self.tlsContext = context
        self.handshakeTimeout = handshakeTimeout
        self.closeTimeout = closeTimeout
        self.lingerTimeout = lingerTimeout
        self.maximumControlBytes = maximumControlBytes
    }

    // MARK: Life of the channel

    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        machine.finished()
        tearDown(error: ChannelError.ioOnClosedChannel)
        session = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        deliverHeld(context)
        if case .fail(let error) = machine.channelEnded(), !transportFailed {
            context.fireErrorCaught(error)
        }
        tearDown(error: ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The socket's own error tells more than the end of the stream that follows it.
        transportFailed = true
        context.fireErrorCaught(error)
    }

    private func start(_ context: ChannelHandlerContext) {
        guard machine.start() else { return }
        do {
            session = try TLSSession(context: tlsContext)
        } catch {
            fail(context, error)
            return
        }
        setTimer(context, after: handshakeTimeout) { [self] in
            guard machine.deadlinePassed() else { return }
            fireAndClose(context, .handshakeTimeout)
        }
        readForHandshake(context)
    }

    // MARK: Reading

    package func read(context: ChannelHandlerContext) {
        isDemanded = true
        guard !machine.isHandshaking, deliverHeld(context) else {
            context.read()
            return
        }
        // Who asks again from here on has asked for the next input: that wish must stand.
        context.fireChannelReadComplete()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        switch machine.received(firstByte: bytes.readableBytesView.first) {
        case .discard: break
        case .answerPlainHTTP:
            refusePlainHTTP(context, request: bytes)
        case .handshake:
            session?.receive(bytes)
            advanceHandshake(context)
        case .decrypt:
            session?.receive(bytes)
            if isDemanded || !hasReadUnasked { decrypt(context) }
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        if machine.isHandshaking {
            readForHandshake(context)
        } else if machine.state == .lingering {
            context.read()
        } else if isDemanded {
            // Records without application data, or parts of one: the application still waits for input.
            context.read()
        }
        context.fireChannelReadComplete()
    }

    /// The handshake needs input whether or not the application wants any.
    private func readForHandshake(_ context: ChannelHandlerContext) {
        let autoRead = try? context.channel.syncOptions?.getOption(.autoRead)
        guard autoRead == false else { return }
        if !isDemanded { hasReadUnasked = true }
        context.read()
    }

    private func advanceHandshake(_ context: ChannelHandlerContext) {
        guard let session else { return }
        do {
            let progress = try session.handshake()
            flushControl(context)
            guard progress == .complete, machine.handshakeCompleted() else { return }
        } catch {
            fail(context, error)
            return
        }
        cancelTimer()
        context.fireUserInboundEventTriggered(
            TLSUserEvent.handshakeCompleted(negotiatedProtocol: session.negotiatedProtocol))
        pump(context)
        // The client's first data may have come together with the end of its handshake.
        if isDemanded || !hasReadUnasked { decrypt(context) }
    }

    /// Hands on what came with the handshake's own reads. True when the application got something.
    @discardableResult
    private func deliverHeld(_ context: ChannelHandlerContext) -> Bool {
        let wasHeld = hasReadUnasked
        hasReadUnasked = false
        guard wasHeld, let session, session.pendingCiphertext > 0, case .open(input: true, _) = machine.state else {
            return false
        }
        return decrypt(context)
    }

    /// Decrypts all that is there and hands it on in one piece. True when the application got something.
    @discardableResult
    private func decrypt(_ context: ChannelHandlerContext) -> Bool {
        guard let session, case .open(input: true, _) = machine.state, session.pendingCiphertext > 0 else {
            return false
        }
        var plaintext = context.channel.allocator.buffer(capacity: max(512, session.pendingCiphertext))
        let outcome: Result<TLSSession.ReadOutcome, TLSError>
        do {
            outcome = .success(try session.read(into: &plaintext))
        } catch {
            outcome = .failure(error)
        }
        let hasPlaintext = plaintext.readableBytes > 0
        if hasPlaintext {
            isDemanded = false
            context.fireChannelRead(wrapInboundOut(plaintext))
        }
        // After the plaintext: a write may fail and close the channel, and nothing is read on a closed one.
        if case .success = outcome { flushControl(context) }
        // The application may have closed meanwhile; the machine knows.
        switch outcome {
        case .success(.wantsInput): break
        case .success(.closed): closeNotifyReceived(context)
        case .failure(let error): fail(context, error)
        }
        return hasPlaintext
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        // The end of TCP. The application hears of the end of TLS, which came earlier, or never.
        deliverHeld(context)
        switch machine.transportInputEnded() {
        case .none: break
        case .fireInputClosed: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .close: finishClosing(context)
        case .fail(let error): fireAndClose(context, error)
        }
    }
}

@available(*, unavailable)
extension TLSServerHandler: Sendable {}
