// This file is long because the channel handler's callbacks share its private state.

package import NIOCore
import NIOTLS

/// One side of TLS as a channel handler: ciphertext towards the network, plaintext towards the application.
///
/// - The handshake starts when the channel becomes active; a client sends the first message. On success the handler
///   fires `TLSUserEvent.handshakeCompleted(negotiatedProtocol:)`; on failure or timeout it fires a `TLSError` and
///   closes.
/// - With the channel option `allowRemoteHalfClosure`, the peer's `close_notify` fires `ChannelEvent.inputClosed`, and
///   so does the end of TCP without `close_notify`: HTTP framing detects incomplete messages (RFC 9112 section 9.8).
///   Without the option, `close_notify` closes the channel, and the end of TCP first fires `TLSError.truncated`.
/// - `close(mode: .output)` sends the flushed writes and `close_notify`, then closes the output of the channel.
/// - `close(mode: .all)` sends `close_notify`, then closes; after `closeTimeout` at the latest. If flushed writes
///   cannot be sent because the channel is not writable, they fail and no `close_notify` is sent, so the peer detects
///   the loss.
/// - Writes are queued while the channel is not writable; a promise succeeds once the last byte of its write is sent.
/// - A peer that sends plaintext gets `plaintextAnswer`; the handler fires `TLSError.plaintext` and closes.
package final class TLSHandler: ChannelDuplexHandler {
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

    /// Which side of the connection this is, with what its session needs.
    private enum Role {
        case server(TLSContext)
        case client(TLSClientContext, TLSPeerName)

        func makeSession() throws(TLSError) -> TLSSession {
            switch self {
            case .server(let context): try TLSSession(context: context)
            case .client(let context, let name): try TLSSession(context: context, expecting: name)
            }
        }
    }

    private let role: Role
    private let handshakeTimeout: TimeAmount
    private let closeTimeout: TimeAmount
    private let lingerTimeout: TimeAmount
    private let plaintextAnswer: PlaintextAnswer?

    private var machine = StateMachine()
    private var session: TLSSession?
    private let records: RecordWriter
    private let closing = ClosingHandshake()
    private var demand = ReadDemand()
    /// Whether an error of the transport was forwarded, which explains the end of the channel.
    private var transportFailed = false

    /// Makes the handler of one connection that a client opened.
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
    package convenience init(
        context: TLSContext,
        handshakeTimeout: TimeAmount,
        closeTimeout: TimeAmount = .seconds(5),
        lingerTimeout: TimeAmount = .seconds(2),
        maximumControlBytes: Int = 65536,
        plaintextAnswer: PlaintextAnswer? = nil
    ) {
        self.init(
            role: .server(context), handshakeTimeout: handshakeTimeout, closeTimeout: closeTimeout,
            lingerTimeout: lingerTimeout, maximumControlBytes: maximumControlBytes, plaintextAnswer: plaintextAnswer)
    }

    /// Makes the handler of one connection to a server, whose certificate must be valid for the expected name.
    ///
    /// - Parameters:
    ///   - context: the trusted authorities and the policy.
    ///   - name: the name that the server's certificate must have.
    ///   - handshakeTimeout: the maximum duration of the whole handshake.
    ///   - closeTimeout: how long `close(mode: .all)` waits until `close_notify` has been sent.
    package convenience init(
        context: TLSClientContext, expecting name: TLSPeerName, handshakeTimeout: TimeAmount,
        closeTimeout: TimeAmount = .seconds(5)
    ) {
        self.init(
            role: .client(context, name), handshakeTimeout: handshakeTimeout, closeTimeout: closeTimeout,
            lingerTimeout: .seconds(2), maximumControlBytes: 65536, plaintextAnswer: nil)
    }

    private init(
        role: Role, handshakeTimeout: TimeAmount, closeTimeout: TimeAmount, lingerTimeout: TimeAmount,
        maximumControlBytes: Int, plaintextAnswer: PlaintextAnswer?
    ) {
        self.role = role
        self.handshakeTimeout = handshakeTimeout
        self.closeTimeout = closeTimeout
        self.lingerTimeout = lingerTimeout
        self.records = RecordWriter(maximumControlBytes: maximumControlBytes)
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
            session = try role.makeSession()
        } catch {
            fail(context, error)
            return
        }
        closing.limit(context, to: handshakeTimeout) { [self] in
            guard machine.deadlinePassed() else { return }
            fireAndClose(context, .handshakeTimeout)
        }
        if case .client = role { advanceHandshake(context) }
        readForHandshake(context)
    }

    // MARK: Reading

    /// Delivers plaintext that was read during the handshake, or reads from the channel.
    package func read(context: ChannelHandlerContext) {
        demand.applicationReads()
        guard !machine.isHandshaking, deliverBuffered(context) else {
            context.read()
            return
        }
        // Fired last: a `read` from within it requests the next input and must be recorded again.
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
            if demand.mayDeliver { decrypt(context) }
        }
    }

    /// Reads again if the handshake or the application needs more input.
    package func channelReadComplete(context: ChannelHandlerContext) {
        if machine.isHandshaking {
            readForHandshake(context)
        } else if machine.state == .lingering {
            context.read()
        } else if demand.isDemanded {
            // The read brought only a part of a record, or no application data.
            context.read()
        }
        context.fireChannelReadComplete()
    }

    /// Reads for the handshake if the channel option `autoRead` is off.
    private func readForHandshake(_ context: ChannelHandlerContext) {
        let autoRead = try? context.channel.syncOptions?.getOption(.autoRead)
        guard autoRead == false else { return }
        demand.handshakeReads()
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
        closing.endLimit()
        context.fireUserInboundEventTriggered(
            TLSUserEvent.handshakeCompleted(negotiatedProtocol: session.negotiatedProtocol))
        sendRecords(context)
        // The client's first data may arrive together with the end of its handshake.
        if demand.mayDeliver { decrypt(context) }
    }

    /// Delivers plaintext that arrived with the reads of the handshake.
    ///
    /// - Returns: whether the application received plaintext.
    @discardableResult
    private func deliverBuffered(_ context: ChannelHandlerContext) -> Bool {
        guard demand.releaseHeld(), let session, session.pendingCiphertext > 0,
            case .open(input: true, _) = machine.state
        else {
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
            demand.delivered()
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

    // MARK: Writing

    /// Queues plaintext. The promise succeeds once the last byte has been sent.
    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard machine.acceptsWrites else {
            promise?.fail(machine.state == .closed ? ChannelError.ioOnClosedChannel : ChannelError.outputClosed)
            return
        }
        records.append(unwrapOutboundIn(data), promise: promise)
    }

    /// Encrypts and sends the queued writes, as far as the channel is writable.
    package func flush(context: ChannelHandlerContext) {
        // If writes are no longer accepted, all that are queued are flushed already.
        if machine.acceptsWrites { records.markFlushed() }
        sendRecords(context)
        context.flush()
    }

    /// Sends queued writes if the channel is writable, then forwards the event.
    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard records.writabilityChanged(isWritable: context.channel.isWritable) else { return }
        sendRecords(context)
        context.fireChannelWritabilityChanged()
    }

    /// Encrypts and sends flushed writes while the channel is writable.
    private func sendRecords(_ context: ChannelHandlerContext) {
        guard let session, records.beginWriting() else { return }
        while machine.canEncrypt, records.hasFlushed, context.channel.isWritable {
            do throws(TLSError) {
                let batch = try records.encryptBatch(with: session, allocator: context.channel.allocator)
                context.writeAndFlush(wrapOutboundOut(batch.ciphertext), promise: batch.promise)
            } catch {
                fail(context, error)
            }
        }
        if !records.hasFlushed, machine.drained() { sendCloseNotifyAndCloseOutput(context) }
        if records.endWriting() { context.fireChannelWritabilityChanged() }
    }

    /// Sends what OpenSSL wrote on its own: handshake messages, tickets, key updates, alerts.
    private func flushControl(_ context: ChannelHandlerContext) {
        guard let session else { return }
        do throws(TLSError) {
            let messages = try records.controlMessages(of: session, isWritable: context.channel.isWritable)
            if let messages { context.writeAndFlush(wrapOutboundOut(messages), promise: nil) }
        } catch {
            fail(context, error)
        }
    }

    // MARK: Closing

    /// Closes one direction or the channel, as the documentation of the type describes.
    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .all: closeAll(context, promise)
        case .output: closeOutput(context, promise)
        case .input: context.close(mode: .input, promise: promise)
        }
    }

    private func closeAll(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        closing.whenClosed(promise)
        switch machine.close(hasFlushedWrites: records.hasFlushed) {
        case .closeNow: finishClosing(context)
        case .wait: break
        case .closeWhenSent: limitClosing(context)
        case .closeNotifyThenClose: closeAfterCloseNotify(context)
        }
    }

    private func closeOutput(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let action = machine.closeOutput(hasFlushedWrites: records.hasFlushed)
        switch action {
        case .alreadyClosed:
            promise?.fail(machine.state == .closed ? ChannelError.alreadyClosed : ChannelError.outputClosed)
        case .closeTransport:
            closing.whenClosed(promise)
            finishClosing(context)
        case .drain, .sendCloseNotify:
            closing.whenOutputClosed(promise)
            records.failUnflushed(ChannelError.outputClosed)
            if action == .sendCloseNotify { sendCloseNotifyAndCloseOutput(context) }
        }
    }

    /// Ends our direction: sends `close_notify`, then closes the output of the channel.
    private func sendCloseNotifyAndCloseOutput(_ context: ChannelHandlerContext) {
        session?.closeOutput()
        let promise = closing.takeOutputPromise()
        // The peer's direction ended before, so now both have.
        if case .open(input: false, _) = machine.state {
            context.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
        }
        write(last: session?.takeCiphertext(), context) { [self] in
            switch machine.closeNotifySent() {
            case .shutOutput: context.close(mode: .output, promise: promise)
            case .close:
                promise?.succeed()
                finishClosing(context)
            case .none: promise?.succeed()
            }
        }
    }

    /// Handles the peer's `close_notify`.
    private func closeNotifyReceived(_ context: ChannelHandlerContext) {
        let halfClosure = try? context.channel.syncOptions?.getOption(.allowRemoteHalfClosure)
        switch machine.closeNotifyReceived(halfClosure: halfClosure ?? false) {
        case .none: break
        case .fireInputClosed:
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .answerAndClose:
            context.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
            closeAfterCloseNotify(context)
        case .awaitOurs:
            context.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
        case .close:
            context.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
            finishClosing(context)
        }
    }

    /// Sends `close_notify`, then closes the channel; after `closeTimeout` at the latest.
    private func closeAfterCloseNotify(_ context: ChannelHandlerContext) {
        records.failAll(ChannelError.ioOnClosedChannel)
        session?.closeOutput()
        limitClosing(context)
        write(last: session?.takeCiphertext(), context) { [self] in finishClosing(context) }
    }

    /// Closes the channel after `closeTimeout`, even if the peer does not read what is still to be sent.
    private func limitClosing(_ context: ChannelHandlerContext) {
        closing.limit(context, to: closeTimeout) { [self] in finishClosing(context) }
    }

    /// Ends a failed connection: sends OpenSSL's alert to the peer, fires the error, closes.
    private func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        guard machine.failed() else { return }
        linger(context, lastBytes: session?.takeCiphertext(), error: error)
    }

    /// Ends a connection on which the peer sent plaintext: sends the answer, fires the error, closes.
    private func refusePlaintext(_ context: ChannelHandlerContext, request: ByteBuffer) {
        linger(context, lastBytes: plaintextAnswer?(request), error: .plaintext)
    }

    /// Sends the last bytes, closes the output, and waits for the peer to close; for `lingerTimeout` at the longest.
    private func linger(_ context: ChannelHandlerContext, lastBytes: ByteBuffer?, error: TLSError) {
        records.failAll(error)
        guard let lastBytes, context.channel.isActive else {
            machine.finished()
            fireAndClose(context, error)
            return
        }
        closing.limit(context, to: lingerTimeout) { [self] in finishClosing(context) }
        let outputClosed = context.eventLoop.makePromise(of: Void.self)
        outputClosed.futureResult.assumeIsolated().whenFailure { [self] _ in finishClosing(context) }
        write(last: lastBytes, context) { [self] in
            guard machine.state == .lingering else {
                outputClosed.succeed()
                return
            }
            context.close(mode: .output, promise: outputClosed)
            context.read()
        }
        context.fireErrorCaught(error)
    }

    /// Fires the error and closes the channel without sending an alert.
    private func fireAndClose(_ context: ChannelHandlerContext, _ error: TLSError) {
        records.failAll(error)
        context.fireErrorCaught(error)
        finishClosing(context)
    }

    /// Closes the channel.
    private func finishClosing(_ context: ChannelHandlerContext) {
        machine.finished()
        let promise = closing.takePromise()
        tearDown(error: ChannelError.ioOnClosedChannel)
        context.close(mode: .all, promise: promise)
    }

    /// Cancels the timer and completes all pending promises. Idempotent.
    private func tearDown(error: any Error) {
        closing.endLimit()
        records.failAll(error)
        closing.end(error)
    }

    /// Writes the last bytes of a connection and calls `then` once they are sent or lost; immediately if there are
    /// none.
    private func write(last bytes: ByteBuffer?, _ context: ChannelHandlerContext, then: @escaping () -> Void) {
        guard let bytes else {
            then()
            return
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in then() }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
    }
}

@available(*, unavailable)
extension TLSHandler: Sendable {}
