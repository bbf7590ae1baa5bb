package import NIOCore

extension TLSServerHandler {
    /// Full records encrypted for one write to the channel: enough to amortize the system call, few enough to stop soon
    /// after the channel becomes unwritable.
    private static let recordsPerBatch = 4

    /// Queues plaintext. The promise succeeds once the last byte has been sent.
    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard machine.acceptsWrites else {
            promise?.fail(machine.state == .closed ? ChannelError.ioOnClosedChannel : ChannelError.outputClosed)
            return
        }
        pending.append(unwrapOutboundIn(data), promise: promise)
    }

    /// Encrypts and sends the queued writes, as far as the channel is writable.
    package func flush(context: ChannelHandlerContext) {
        // If writes are no longer accepted, all that are queued are flushed already.
        if machine.acceptsWrites { pending.markFlushed() }
        pump(context)
        context.flush()
    }

    /// Sends queued writes if the channel is writable, then forwards the event.
    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { unsentControlBytes = 0 }
        // A channel that sends a whole batch at once calls this synchronously from `pump`. Forward the event only after
        // `pump` returns: nothing is encrypted until then, so the application would fill the queue without limit.
        guard !isPumping else {
            isWritabilityEventDeferred = true
            return
        }
        pump(context)
        context.fireChannelWritabilityChanged()
    }

    /// Encrypts and sends flushed writes while the channel is writable.
    ///
    /// Writing to the channel can complete promises and fire events, which can re-enter this method. Only the outermost
    /// call does the work, so the order of bytes is preserved.
    func pump(_ context: ChannelHandlerContext) {
        guard !isPumping, let session else { return }
        isPumping = true
        while machine.canEncrypt, pending.hasFlushed, context.channel.isWritable {
            encryptBatch(context, session)
        }
        if !pending.hasFlushed, machine.drained() { sendCloseNotifyAndCloseOutput(context) }
        isPumping = false
        if isWritabilityEventDeferred {
            isWritabilityEventDeferred = false
            context.fireChannelWritabilityChanged()
        }
    }

    private func encryptBatch(_ context: ChannelHandlerContext, _ session: TLSSession) {
        let allocator = context.channel.allocator
        var completing: [EventLoopPromise<Void>] = []
        let limit = TLSSession.recordSize
        session.reserve(
            plaintext: pending.flushedBytes(upTo: Self.recordsPerBatch * limit), allocator: allocator)
        do {
            for _ in 0..<Self.recordsPerBatch {
                let chunk = pending.nextChunk(limit: limit, allocator: allocator, completing: &completing)
                guard let chunk else { break }
                try session.write(chunk)
            }
        } catch {
            for promise in completing { promise.fail(error) }
            fail(context, error)
            return
        }
        let ciphertext = session.takeCiphertext() ?? ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(ciphertext), promise: Self.join(completing))
    }

    /// Sends what OpenSSL wrote on its own: handshake messages, tickets, key updates, alerts.
    func flushControl(_ context: ChannelHandlerContext) {
        guard let ciphertext = session?.takeCiphertext() else { return }
        if !context.channel.isWritable { unsentControlBytes += ciphertext.readableBytes }
        guard unsentControlBytes <= maximumControlBytes else {
            fail(context, .controlFlood)
            return
        }
        context.writeAndFlush(wrapOutboundOut(ciphertext), promise: nil)
    }

    /// Returns one promise that completes all of them.
    private static func join(_ promises: [EventLoopPromise<Void>]) -> EventLoopPromise<Void>? {
        guard let first = promises.first else { return nil }
        for promise in promises.dropFirst() { first.futureResult.cascade(to: promise) }
        return first
    }
}
