import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// What is being written.
    struct Output {
        /// The largest piece of a body that is handed to the channel at once.
        static let pieceSize = 128 * 1024
        /// The largest body that is written together with its head.
        static let smallSize = 4096

        /// The part of the body that waits until the channel can take more.
        var rest: ByteBuffer?
        /// The rest is being written further up the stack.
        var isWriting = false
        /// The stream's write that waits for the same.
        var waitingWriter: EventLoopPromise<Void>?
        var isStreaming = false
        /// The stream's pieces are chunks.
        var isChunked = false
        /// The last answer has been written and is on its way out.
        var awaitsLastWrite = false
        var stallTimer = LazyTimer()
        /// When the client was last seen to take something, and how many bytes it had still to take then.
        var stalled: (since: NIODeadline, bytes: Int)?

        mutating func abandon() {
            self.rest = nil
            self.isStreaming = false
            self.isChunked = false
            self.awaitsLastWrite = false
            self.stalled = nil
            self.stallTimer.cancel()
            self.waitingWriter?.fail(HTTPServiceError.connectionClosed)
            self.waitingWriter = nil
        }
    }

    func writeContinue(context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(.goOn), promise: nil)
    }

    /// Writes an answer's head and, unless it is streamed, its body.
    func answer(_ response: HTTPResponse) {
        guard let context = self.context, self.machine.owesAnswer, let exchange = self.exchange else { return }
        if let name = response.headers.nameOfUnwritable {
            self.server.log.unwritable(name, in: exchange)
            return self.answer(.internalError)
        }
        let mayHaveBody = response.status.mayHaveResponseBody
        var framing = ResponseDecoration.Framing.none
        var body: ByteBuffer?
        var streams = false
        switch response.body {
        case .empty:
            if mayHaveBody { framing = .length(0) }
        case .bytes(let bytes):
            if mayHaveBody {
                framing = .length(bytes.readableBytes)
                body = exchange.isHead ? nil : bytes
            }
        case .stream:
            // The answer to HEAD says nothing of a length that is not known (RFC 9110 §9.3.2).
            streams = mayHaveBody && !exchange.isHead
            if streams, !exchange.isHTTP10 { framing = .chunked }
        }
        let persistent = self.machine.answerBegins(closing: streams && exchange.isHTTP10)
        self.exchange?.status = response.status
        let isSmall = body.map { $0.readableBytes <= Output.smallSize } ?? false
        var bytes = context.channel.allocator.buffer(capacity: 1024 + (isSmall ? body?.readableBytes ?? 0 : 0))
        self.server.decoration.write(
            response,
            ResponseDecoration.Circumstances(
                framing: framing, date: self.server.date.now, origin: exchange.origin, host: exchange.host,
                secure: self.secure, connection: persistent ? (exchange.isHTTP10 ? "keep-alive" : nil) : "close"),
            to: &bytes)
        if isSmall, let small = body {
            self.exchange?.bytesOut += small.readableBytes
            bytes.writeImmutableBuffer(small)
            body = nil
        }
        context.write(Self.wrapOutboundOut(bytes), promise: nil)
        if streams {
            self.output.isStreaming = true
            self.output.isChunked = !exchange.isHTTP10
            context.flush()
        } else if let body {
            self.output.rest = body
            self.writeRest(context: context)
        } else {
            self.endAnswer(context: context)
        }
    }

    /// Writes what the channel can take of a body; the rest follows when the client has taken some.
    ///
    /// Where the socket takes a piece whole, the channel says in the middle of the flush that it is writable again, and
    /// that leads here. The outermost call goes on by itself; an inner one would end the answer once for each level.
    private func writeRest(context: ChannelHandlerContext) {
        guard !self.output.isWriting else { return }
        self.output.isWriting = true
        let isWhole = self.writePieces(context: context)
        self.output.isWriting = false
        if isWhole { self.endAnswer(context: context) }
    }

    /// Returns whether the last piece has been written.
    private func writePieces(context: ChannelHandlerContext) -> Bool {
        while var rest = self.output.rest {
            guard let piece = rest.readSlice(length: min(rest.readableBytes, Output.pieceSize)) else { return false }
            self.output.rest = rest.readableBytes > 0 ? rest : nil
            self.exchange?.bytesOut += piece.readableBytes
            context.write(Self.wrapOutboundOut(piece), promise: nil)
            guard self.output.rest != nil else { return true }
            context.flush()
            guard context.channel.isWritable else { return false }
        }
        return false
    }

    private func endAnswer(context: ChannelHandlerContext) {
        self.output.isStreaming = false
        let end = self.output.isChunked ? ByteBuffer.lastChunk : ByteBuffer()
        self.output.isChunked = false
        let now = context.eventLoop.now
        if let exchange = self.exchange {
            self.server.log.record(exchange, peer: self.peer, now: now, isComplete: true)
        }
        self.exchange = nil
        self.admitted = nil
        self.task = nil
        if self.machine.isPersistent {
            if end.readableBytes > 0 { context.write(Self.wrapOutboundOut(end), promise: nil) }
            context.flush()
            if let step = self.machine.answerEnded(now: now) { self.perform(step, context: context) }
            self.pump()
            self.update()
        } else {
            let written = self.promiseOfLastWrite(context)
            context.writeAndFlush(Self.wrapOutboundOut(end), promise: written)
            self.update()
        }
    }

    private func lastWriteDone() {
        guard self.output.awaitsLastWrite, let context = self.context else { return }
        self.output.awaitsLastWrite = false
        if let step = self.machine.answerEnded(now: context.eventLoop.now) { self.perform(step, context: context) }
        self.pump()
        self.update()
    }

    /// Closes a connection of which nothing more is asked, when the client has taken what was answered.
    func finish(context: ChannelHandlerContext) {
        guard self.bytesToTake(context) > 0, let input = self.codec?.input else {
            self.machine.connectionLost()
            return context.close(promise: nil)
        }
        input.whenWritten(self.promiseOfLastWrite(context))
        self.update()
    }

    /// A promise for a write after which the output may be closed: only when all of it is out.
    private func promiseOfLastWrite(_ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        self.output.awaitsLastWrite = true
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.lastWriteDone() }
        return written
    }

    /// Closes the sending side, so that the client sees the end, and goes on reading so that it sees no reset.
    func halfClose(context: ChannelHandlerContext) {
        let closed = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        closed.futureResult.whenFailure { _ in bound.value.context?.close(promise: nil) }
        context.close(mode: .output, promise: closed)
    }

    // MARK: Streams

    /// Takes the next piece of a streamed body; `promise` succeeds when the connection can take more.
    func writeStream(_ buffer: ByteBuffer, of number: UInt64, promise: EventLoopPromise<Void>) {
        guard let context = self.context, self.output.isStreaming, self.exchange?.number == number,
            context.channel.isActive
        else { return promise.fail(HTTPServiceError.connectionClosed) }
        if buffer.readableBytes > 0 {
            self.exchange?.bytesOut += buffer.readableBytes
            self.write(piece: buffer, context: context)
        }
        if context.channel.isWritable {
            promise.succeed(())
        } else {
            self.output.waitingWriter?.fail(HTTPServiceError.connectionClosed)
            self.output.waitingWriter = promise
            self.update()
        }
    }

    private func write(piece: ByteBuffer, context: ChannelHandlerContext) {
        if self.output.isChunked {
            var size = context.channel.allocator.buffer(capacity: 18)
            size.writeChunkSize(piece.readableBytes)
            context.write(Self.wrapOutboundOut(size), promise: nil)
            context.write(Self.wrapOutboundOut(piece), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.chunkEnd), promise: nil)
        } else {
            context.writeAndFlush(Self.wrapOutboundOut(piece), promise: nil)
        }
    }

    func endStream(of number: UInt64) {
        guard let context = self.context, self.output.isStreaming, self.exchange?.number == number else { return }
        self.endAnswer(context: context)
    }

    /// The handler failed after the head had gone out: the client must not take what it has for the whole.
    func abortStream(of number: UInt64) {
        guard let context = self.context, self.output.isStreaming, self.exchange?.number == number else { return }
        context.close(promise: nil)
    }

    // MARK: Clients that take nothing

    func writabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        // The client has taken something, even if more is written before anybody looks.
        self.output.stalled = nil
        self.output.waitingWriter?.succeed(())
        self.output.waitingWriter = nil
        if self.output.rest != nil { self.writeRest(context: context) }
    }

    /// Keeps an eye on the output while the client has something to take.
    func watchOutput(context: ChannelHandlerContext) {
        guard !self.upgrade.isUnderWay, !context.channel.isWritable || self.output.awaitsLastWrite else {
            self.output.stalled = nil
            return
        }
        if self.output.stalled == nil {
            self.output.stalled = (context.eventLoop.now, self.bytesToTake(context))
        }
        guard let stalled = self.output.stalled else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.output.stallTimer.arm(
            stalled.since + self.server.configuration.writeTimeout, on: context.eventLoop
        ) { bound.value.stallTimerFired() }
    }

    private func stallTimerFired() {
        self.output.stallTimer.fired()
        guard let context = self.context, let stalled = self.output.stalled else { return }
        let now = context.eventLoop.now
        if now >= stalled.since + self.server.configuration.writeTimeout {
            // While the channel is not writable nothing is added, so fewer bytes mean that the client took some.
            let bytes = self.bytesToTake(context)
            guard bytes < stalled.bytes else { return context.close(promise: nil) }
            self.output.stalled = (now, bytes)
        }
        self.watchOutput(context: context)
    }

    private func bytesToTake(_ context: ChannelHandlerContext) -> Int {
        // A channel that doesn't tell is taken to make no progress; every channel of NIO tells.
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
