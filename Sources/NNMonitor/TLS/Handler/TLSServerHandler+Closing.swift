package import NIOCore
import NIOTLS

extension TLSServerHandler {
    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .all: closeAll(context, promise)
        case .output: closeOutput(context, promise)
        case .input: context.close(mode: .input, promise: promise)
        }
    }

    private func closeAll(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        closePromise.setOrCascade(to: promise)
        switch machine.close(hasFlushedWrites: pending.hasFlushed) {
        case .closeNow: finishClosing(context)
        case .wait: break
        case .closeWhenSent: limitClosing(context)
        case .closeNotifyThenClose: closeAfterCloseNotify(context)
        }
    }

    private func closeOutput(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let action = machine.closeOutput(hasFlushedWrites: pending.hasFlushed)
        switch action {
        case .alreadyClosed:
            promise?.fail(machine.state == .closed ? ChannelError.alreadyClosed : ChannelError.outputClosed)
        case .closeTransport:
            closePromise.setOrCascade(to: promise)
            finishClosing(context)
        case .drain, .sendCloseNotify:
            closeOutputPromise = promise
            for promise in pending.removeUnflushed() { promise.fail(ChannelError.outputClosed) }
            if action == .sendCloseNotify { sendCloseNotifyAndShutOutput(context) }
        }
    }

    /// The end of our side. The transport's output is shut when `close_notify`, and all before it, has been written.
    func sendCloseNotifyAndShutOutput(_ context: ChannelHandlerContext) {
        session?.closeOutput()
        let promise = closeOutputPromise
        closeOutputPromise = nil
        // Both have said goodbye: nobody waits for anything more.
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

    /// The peer's side has ended in an orderly way.
    func closeNotifyReceived(_ context: ChannelHandlerContext) {
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

    /// Sends `close_notify` and closes when it is out, or when the time for that is over.
    private func closeAfterCloseNotify(_ context: ChannelHandlerContext) {
        failPending(ChannelError.ioOnClosedChannel)
        session?.closeOutput()
        limitClosing(context)
        write(last: session?.takeCiphertext(), context) { [self] in finishClosing(context) }
    }

    /// A peer that takes nothing doesn't hold up the close for longer than this.
    private func limitClosing(_ context: ChannelHandlerContext) {
        setTimer(context, after: closeTimeout) { [self] in finishClosing(context) }
    }

    /// The connection is broken: tell the peer by the alert that OpenSSL has made, tell the application, close.
    func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        guard machine.failed() else { return }
        linger(context, lastWords: session?.takeCiphertext(), error: error)
    }

    /// Answers plain HTTP in plain HTTP.
    func refusePlainHTTP(_ context: ChannelHandlerContext, request: ByteBuffer) {
        let answer = PlainHTTPAnswer.response(to: request, allocator: context.channel.allocator)
        linger(context, lastWords: answer, error: .plainHTTP)
    }

    /// Sends the last words, shuts the output, and waits for the peer to close, for as long as is polite.
    private func linger(_ context: ChannelHandlerContext, lastWords: ByteBuffer?, error: TLSError) {
        failPending(error)
        guard let lastWords, context.channel.isActive else {
            machine.finished()
            fireAndClose(context, error)
            return
        }
        setTimer(context, after: lingerTimeout) { [self] in finishClosing(context) }
        let shut = context.eventLoop.makePromise(of: Void.self)
        shut.futureResult.assumeIsolated().whenFailure { [self] _ in finishClosing(context) }
        write(last: lastWords, context) { [self] in
            guard machine.state == .lingering else {
                shut.succeed()
                return
            }
            context.close(mode: .output, promise: shut)
            context.read()
        }
        context.fireErrorCaught(error)
    }

    /// For ends at which there is nothing to tell the peer.
    func fireAndClose(_ context: ChannelHandlerContext, _ error: TLSError) {
        failPending(error)
        context.fireErrorCaught(error)
        finishClosing(context)
    }

    /// Closes the transport.
    func finishClosing(_ context: ChannelHandlerContext) {
        machine.finished()
        let promise = closePromise
        closePromise = nil
        tearDown(error: ChannelError.ioOnClosedChannel)
        context.close(mode: .all, promise: promise)
    }

    /// Lets go of all that waits. Idempotent.
    func tearDown(error: any Error) {
        cancelTimer()
        failPending(error)
        closeOutputPromise?.fail(error)
        closeOutputPromise = nil
        // The channel is gone: that is what was asked for.
        closePromise?.succeed()
        closePromise = nil
    }

    func failPending(_ error: any Error) {
        for promise in pending.removeAll() { promise.fail(error) }
    }

    /// Writes the last bytes of a connection, then calls back; at once when there are none or the channel is gone.
    private func write(last bytes: ByteBuffer?, _ context: ChannelHandlerContext, then: @escaping () -> Void) {
        guard let bytes else {
            then()
            return
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in then() }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
    }

    // MARK: Timer

    func setTimer(_ context: ChannelHandlerContext, after time: TimeAmount, _ task: @escaping () -> Void) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time, task)
    }

    func cancelTimer() {
        timer?.cancel()
        timer = nil
    }
}
