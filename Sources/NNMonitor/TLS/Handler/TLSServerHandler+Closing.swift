package import NIOCore
import NIOTLS

extension TLSServerHandler {
    /// Closes one direction or the channel, as the documentation of the type describes.
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
            if action == .sendCloseNotify { sendCloseNotifyAndCloseOutput(context) }
        }
    }

    /// Ends our direction: sends `close_notify`, then closes the output of the channel.
    func sendCloseNotifyAndCloseOutput(_ context: ChannelHandlerContext) {
        session?.closeOutput()
        let promise = closeOutputPromise
        closeOutputPromise = nil
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

    /// Sends `close_notify`, then closes the channel; after `closeTimeout` at the latest.
    private func closeAfterCloseNotify(_ context: ChannelHandlerContext) {
        failPending(ChannelError.ioOnClosedChannel)
        session?.closeOutput()
        limitClosing(context)
        write(last: session?.takeCiphertext(), context) { [self] in finishClosing(context) }
    }

    /// Closes the channel after `closeTimeout`, even if the peer does not read what is still to be sent.
    private func limitClosing(_ context: ChannelHandlerContext) {
        setTimer(context, after: closeTimeout) { [self] in finishClosing(context) }
    }

    /// Ends a failed connection: sends OpenSSL's alert to the peer, fires the error, closes.
    func fail(_ context: ChannelHandlerContext, _ error: TLSError) {
        guard machine.failed() else { return }
        linger(context, lastBytes: session?.takeCiphertext(), error: error)
    }

    /// Ends a connection on which the peer sent plaintext: sends the answer, fires the error, closes.
    func refusePlaintext(_ context: ChannelHandlerContext, request: ByteBuffer) {
        linger(context, lastBytes: plaintextAnswer?(request), error: .plaintext)
    }

    /// Sends the last bytes, closes the output, and waits for the peer to close; for `lingerTimeout` at the longest.
    private func linger(_ context: ChannelHandlerContext, lastBytes: ByteBuffer?, error: TLSError) {
        failPending(error)
        guard let lastBytes, context.channel.isActive else {
            machine.finished()
            fireAndClose(context, error)
            return
        }
        setTimer(context, after: lingerTimeout) { [self] in finishClosing(context) }
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
    func fireAndClose(_ context: ChannelHandlerContext, _ error: TLSError) {
        failPending(error)
        context.fireErrorCaught(error)
        finishClosing(context)
    }

    /// Closes the channel.
    func finishClosing(_ context: ChannelHandlerContext) {
        machine.finished()
        let promise = closePromise
        closePromise = nil
        tearDown(error: ChannelError.ioOnClosedChannel)
        context.close(mode: .all, promise: promise)
    }

    /// Cancels the timer and completes all pending promises. Idempotent.
    func tearDown(error: any Error) {
        cancelTimer()
        failPending(error)
        closeOutputPromise?.fail(error)
        closeOutputPromise = nil
        // The channel is closed, as requested.
        closePromise?.succeed()
        closePromise = nil
    }

    func failPending(_ error: any Error) {
        for promise in pending.removeAll() { promise.fail(error) }
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
