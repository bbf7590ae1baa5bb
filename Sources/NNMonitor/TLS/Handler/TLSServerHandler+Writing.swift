package import NIOCore

extension TLSServerHandler {
    /// How many full records are encrypted before they are handed to the channel: enough for one system call to be
    /// worth it, few enough to notice soon when the channel has had its fill.
    private static let recordsPerBatch = 4

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard machine.acceptsWrites else {
            promise?.fail(machine.state == .closed ? ChannelError.ioOnClosedChannel : ChannelError.outputClosed)
            return
        }
        pending.append(unwrapOutboundIn(data), promise: promise)
    }

    package func flush(context: ChannelHandlerContext) {
        // While the output drains, what is left is flushed already.
        if machine.acceptsWrites { pending.markFlushed() }
        pump(context)
        context.flush()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { strandedControlBytes = 0 }
        // A channel that takes a batch whole says so in the middle of it. The application would then write on, and on,
        // into what waits here, since nothing of it is encrypted before the outermost call goes on.
        guard !isPumping else {
            owesWritabilityChange = true
            return
        }
        pump(context)
        context.fireChannelWritabilityChanged()
    }

    /// Encrypts flushed writes as long as the channel takes them. Writing calls promises and events, which may call
    /// this again: the outermost call does the work, so that the order stays.
    func pump(_ context: ChannelHandlerContext) {
        guard !isPumping, let session else { return }
        isPumping = true
        while machine.canEncrypt, pending.hasFlushed, context.channel.isWritable {
            encryptBatch(context, session)
        }
        if !pending.hasFlushed, machine.drained() { sendCloseNotifyAndShutOutput(context) }
        isPumping = false
        if owesWritabilityChange {
            owesWritabilityChange = false
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

    /// Sends what OpenSSL has to say by itself: handshake messages, tickets, key updates, alerts.
    func flushControl(_ context: ChannelHandlerContext) {
        guard let ciphertext = session?.takeCiphertext() else { return }
        if !context.channel.isWritable { strandedControlBytes += ciphertext.readableBytes }
        guard strandedControlBytes <= maximumControlBytes else {
            fail(context, .controlFlood)
            return
        }
        context.writeAndFlush(wrapOutboundOut(ciphertext), promise: nil)
    }

    /// One promise that completes them all.
    private static func join(_ promises: [EventLoopPromise<Void>]) -> EventLoopPromise<Void>? {
        guard let first = promises.first else { return nil }
        for promise in promises.dropFirst() { first.futureResult.cascade(to: promise) }
        return first
    }
}
