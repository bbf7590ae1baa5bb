package import NIOCore
import NIOTLS

/// The server side of TLS as a channel handler: ciphertext towards the network, plaintext towards the application.
///
/// - The handshake starts when the channel becomes active. On success the handler fires
///   `TLSUserEvent.handshakeCompleted(negotiatedProtocol:)`; on failure or timeout it fires a `TLSError` and closes.
/// - With the channel option `allowRemoteHalfClosure`, the peer's `close_notify` fires `ChannelEvent.inputClosed`, and
///   so does the end of TCP without `close_notify`: HTTP framing detects incomplete messages (RFC 9112 section 9.8).
///   Without the option, `close_notify` closes the channel, and the end of TCP first fires `TLSError.truncated`.
/// - `close(mode: .output)` sends the flushed writes and `close_notify`, then closes the output of the channel.
/// - `close(mode: .all)` sends `close_notify`, then closes; after `closeTimeout` at the latest. If flushed writes
///   cannot be sent because the channel is not writable, they fail and no `close_notify` is sent, so the peer detects
///   the loss.
/// - Writes are queued while the channel is not writable; a promise succeeds once the last byte of its write is sent.
/// - A peer that sends plaintext gets `plaintextAnswer`; the handler fires `TLSError.plaintext` and closes.
package final class TLSServerHandler: ChannelDuplexHandler {
    /// Ciphertext from the network.
    package typealias InboundIn = ByteBuffer
    /// Plaintext for the application.
    package typealias InboundOut = ByteBuffer
    /// Plaintext from the application.
    package typealias OutboundIn = ByteBuffer
    /// Ciphertext for the network.
    package typealias OutboundOut = ByteBuffer
    /// Makes the answer to a peer that sends plaintext, from the first bytes of its request.
    package typealias PlaintextAnswer = (_ request: ByteBuffer) -> ByteBuffer

    let tlsContext: TLSContext
    let handshakeTimeout: TimeAmount
    let closeTimeout: TimeAmount
    let lingerTimeout: TimeAmount
    let maximumControlBytes: Int
    let plaintextAnswer: PlaintextAnswer?

    var machine = StateMachine()
    var session: TLSSession?
    var pending = PendingWrites()
    /// Whether `pump` is on the call stack.
    var isPumping = false
    /// Whether `channelWritabilityChanged` was called during `pump`, which forwards the event at its end.
    var isWritabilityEventDeferred = false
    /// Bytes of alerts and key updates written since the channel became unwritable.
    var unsentControlBytes = 0

    /// Completed when the channel closes.
    var closePromise: EventLoopPromise<Void>?
    /// Completed when the output closes.
    var closeOutputPromise: EventLoopPromise<Void>?
    /// The timeout of the handshake, later that of closing or lingering.
    var timer: Scheduled<Void>?

    /// Whether the application called `read` and has not received any plaintext since.
    private var isDemanded = false
    /// Whether the handshake called `read` on its own, so that plaintext may arrive before the application asks for it.
    private var hasReadForHandshake = false
    /// Whether an error of the transport was forwarded, which explains the end of the channel.
    private var transportFailed = false

    /// Makes the handler of one connection.
    ///
    /// - Parameters:
    ///   - context: certificate, key and policy.
    ///   - handshakeTimeout: the maximum duration of the whole handshake.
    ///   - closeTimeout: how long `close(mode: .all)` waits until `close_notify` has been sent.
    ///   - lingerTimeout: how long the input of a refused peer is discarded before the channel closes, so that the peer
    ///     can read the alert or answer.
    ///   - maximumControlBytes: the maximum number of bytes of alerts and key updates written while the channel is not
    ///     writable; beyond it the connection fails with `TLSError.controlFlood`.
    ///   - plaintextAnswer: the answer to a peer that sends plaintext; `nil`: the channel closes without an answer.
    package init(
        context: TLSContext,
        handshakeTimeout: TimeAmount,
        closeTimeout: TimeAmount = .seconds(5),
        lingerTimeout: TimeAmount = .seconds(2),
        maximumControlBytes: Int = 65536,
        plaintextAnswer: PlaintextAnswer? = nil
    ) {
        self.tlsContext = context
        self.handshakeTimeout = handshakeTimeout
        self.closeTimeout = closeTimeout
        self.lingerTimeout = lingerTimeout
        self.maximumControlBytes = maximumControlBytes
        self.plaintextAnswer = plaintextAnswer
    }

    // MARK: Channel lifecycle

    /// Starts the handshake if the channel is already active.
    package func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    /// Frees the session and fails pending writes.
    package func handlerRemoved(context: ChannelHandlerContext) {
        machine.finished()
        tearDown(error: ChannelError.ioOnClosedChannel)
        session = nil
    }

    /// Starts the handshake.
    package func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    /// Delivers the last plaintext and fires an error if the connection ended prematurely.
    package func channelInactive(context: ChannelHandlerContext) {
        deliverBuffered(context)
        if case .fail(let error) = machine.channelEnded(), !transportFailed {
            context.fireErrorCaught(error)
        }
        tearDown(error: ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    /// Forwards an error of the transport.
    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The socket's error is more specific than `truncated`, which would follow it.
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

    /// Delivers plaintext that was read during the handshake, or reads from the channel.
    package func read(context: ChannelHandlerContext) {
        isDemanded = true
        guard !machine.isHandshaking, deliverBuffered(context) else {
            context.read()
            return
        }
        // Fired last: a `read` from within it requests the next input and must set `isDemanded` again.
        context.fireChannelReadComplete()
    }

    /// Handles ciphertext from the network.
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        switch machine.received(firstByte: bytes.readableBytesView.first) {
        case .discard: break
        case .answerPlaintext:
            refusePlaintext(context, request: bytes)
        case .handshake:
            session?.receive(bytes)
            advanceHandshake(context)
        case .decrypt:
            session?.receive(bytes)
            if isDemanded || !hasReadForHandshake { decrypt(context) }
        }
    }

    /// Reads again if the handshake or the application needs more input.
    package func channelReadComplete(context: ChannelHandlerContext) {
        if machine.isHandshaking {
            readForHandshake(context)
        } else if machine.state == .lingering {
            context.read()
        } else if isDemanded {
            // The read brought only a part of a record, or no application data.
            context.read()
        }
        context.fireChannelReadComplete()
    }

    /// Reads for the handshake if the channel option `autoRead` is off.
    private func readForHandshake(_ context: ChannelHandlerContext) {
        let autoRead = try? context.channel.syncOptions?.getOption(.autoRead)
        guard autoRead == false else { return }
        if !isDemanded { hasReadForHandshake = true }
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
        // The client's first data may arrive together with the end of its handshake.
        if isDemanded || !hasReadForHandshake { decrypt(context) }
    }

    /// Delivers plaintext that arrived with the reads of the handshake.
    ///
    /// - Returns: whether the application received plaintext.
    @discardableResult
    private func deliverBuffered(_ context: ChannelHandlerContext) -> Bool {
        let hadBuffered = hasReadForHandshake
        hasReadForHandshake = false
        guard hadBuffered, let session, session.pendingCiphertext > 0, case .open(input: true, _) = machine.state else {
            return false
        }
        return decrypt(context)
    }

    /// Decrypts all received ciphertext and delivers the plaintext in one buffer.
    ///
    /// - Returns: whether the application received plaintext.
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
        // After the plaintext was delivered, because a failing write closes the channel.
        if case .success = outcome { flushControl(context) }
        // If the application closed the channel meanwhile, the state machine ignores these events.
        switch outcome {
        case .success(.wantsInput): break
        case .success(.closed): closeNotifyReceived(context)
        case .failure(let error): fail(context, error)
        }
        return hasPlaintext
    }

    /// Turns the end of TCP into the events of the end of TLS; forwards other events.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        // `inputClosed` is the end of TCP. The application gets the end of TLS, if it did not come earlier.
        deliverBuffered(context)
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
