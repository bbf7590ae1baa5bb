import NIOCore

// How fast the client accepts its response.

extension HTTPConnection {
    func writabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        // The channel became writable, so the client has accepted bytes, even if later writes make it unwritable again
        // before the stall timer fires.
        self.output.stalled = nil
        self.output.rate.end(bytes: self.bytesToTake(context), now: context.eventLoop.now)
        self.output.waitingWriter?.succeed(())
        self.output.waitingWriter = nil
        if self.output.rest != nil { self.writeRest(context: context) }
    }

    /// Arms the stall timer while the client has bytes to accept.
    func watchOutput(context: ChannelHandlerContext) {
        guard !self.upgrade.isUnderWay, !context.channel.isWritable || self.output.awaitsLastWrite else {
            if self.output.stalled != nil {
                self.output.stalled = nil
                self.output.rate.end(bytes: self.bytesToTake(context), now: context.eventLoop.now)
            }
            return
        }
        let now = context.eventLoop.now
        if self.output.stalled == nil {
            let bytes = self.bytesToTake(context)
            self.output.stalled = (now, bytes)
            self.output.rate.begin(bytes: bytes, now: now)
            self.output.hasWaited = true
            self.reportProgress(context: context)
        }
        guard let stalled = self.output.stalled else { return }
        var deadline = stalled.since + self.server.configuration.writeTimeout
        if let end = self.output.rate.deadline { deadline = min(deadline, end) }
        if let reservation = self.output.reservation {
            deadline = min(deadline, now + reservation.progress.interval)
        }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.output.stallTimer.arm(deadline, on: context.eventLoop) { bound.value.stallTimerFired() }
    }

    /// Reports what the client has accepted of a response that waits for it, or has waited, so that it may be dropped
    /// in favor of others.
    func reportProgress(context: ChannelHandlerContext) {
        guard self.output.hasWaited, let reservation = self.output.reservation, let exchange = self.exchange else {
            return
        }
        let number = exchange.number
        let taken = max(0, exchange.bytesOut - self.bytesToTake(context))
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        reservation.progress.report(taken: taken, now: loop.now) {
            { loop.execute { bound.value.dropReader(of: number) } }
        }
    }

    /// Closes the connection of a response whose memory is needed. A truncated response cannot be completed.
    private func dropReader(of number: UInt64) {
        guard self.exchange?.number == number else { return }
        self.context?.close(promise: nil)
    }

    private func stallTimerFired() {
        self.output.stallTimer.fired()
        guard let context = self.context, let stalled = self.output.stalled else { return }
        let now = context.eventLoop.now
        // No bytes are added while the channel is not writable, so a lower count means that the client accepted some.
        let bytes = self.bytesToTake(context)
        if self.output.rate.isTooSlow(bytes: bytes, now: now) { return context.close(promise: nil) }
        self.reportProgress(context: context)
        if now >= stalled.since + self.server.configuration.writeTimeout {
            guard bytes < stalled.bytes else { return context.close(promise: nil) }
            self.output.stalled = (now, bytes)
        }
        self.watchOutput(context: context)
    }

    func bytesToTake(_ context: ChannelHandlerContext) -> Int {
        // Without the option no progress is visible, and the connection times out. All NIO channels support it.
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
