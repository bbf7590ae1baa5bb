import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// The state of the response that is being written.
    struct Output {
        /// The maximum size of a body piece passed to the channel in one write, in bytes.
        static let pieceSize = 128 * 1024
        /// The maximum size of a body that is copied into the buffer of its head, in bytes.
        static let smallSize = 4096

        /// The part of the body that is written when the channel becomes writable.
        var rest: ByteBuffer?
        /// Whether an outer call on the stack is writing `rest`.
        var isWriting = false
        /// The streaming handler's pending write; succeeds when the channel becomes writable.
        var waitingWriter: EventLoopPromise<Void>?
        var isStreaming = false
        /// Whether the stream uses the chunked coding.
        var isChunked = false
        /// Whether the last response is written but not all sent.
        var awaitsLastWrite = false
        var stallTimer = LazyTimer()
        /// When the client last accepted bytes, and how many bytes were unsent then.
        var stalled: (since: NIODeadline, bytes: Int)?
        /// The rate at which the client accepts bytes.
        var rate: RateWatch
        /// The memory of the response.
        var reservation: ResponseReservation?
        /// Whether the response has waited for its client, so that its progress is reported.
        var hasWaited = false

        init(_ configuration: HTTPConfiguration) {
            self.rate = RateWatch(rate: configuration.minimumReadRate, window: configuration.readRateWindow)
        }

        mutating func abandon() {
            self.rest = nil
            self.isStreaming = false
            self.isChunked = false
            self.awaitsLastWrite = false
            self.stalled = nil
            self.reservation = nil
            self.stallTimer.cancel()
            self.waitingWriter?.fail(HTTPServiceError.connectionClosed)
            self.waitingWriter = nil
        }
    }

    func writeContinue(context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(.goOn), promise: nil)
    }

    /// Writes the head of a response and, unless it is streamed, the body.
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
            // A response to HEAD omits framing fields if the length is unknown (RFC 9110 section 9.3.2).
            streams = mayHaveBody && !exchange.isHead
            if streams, !exchange.isHTTP10 { framing = .chunked }
        }
        let persistent = self.machine.answerBegins(closing: streams && exchange.isHTTP10)
        self.exchange?.status = response.status
        self.output.reservation = response.reservation
        self.output.hasWaited = false
        let isSmall = body.map { $0.readableBytes <= Output.smallSize } ?? false
        var bytes = context.channel.allocator.buffer(capacity: 1024 + (isSmall ? body?.readableBytes ?? 0 : 0))
        self.server.decoration.write(
            response,
            ResponseDecoration.ResponseContext(
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

    /// Writes the body until the channel is not writable; `writabilityChanged` continues.
    ///
    /// `flush()` can call `channelWritabilityChanged` synchronously, which re-enters this method. Only the outermost
    /// call writes, so the response ends once.
    func writeRest(context: ChannelHandlerContext) {
        guard !self.output.isWriting else { return }
        self.output.isWriting = true
        let isWhole = self.writePieces(context: context)
        self.output.isWriting = false
        if isWhole { self.endAnswer(context: context) }
    }

    /// Writes pieces while the channel is writable.
    ///
    /// - Returns: whether the last piece was written.
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
        self.output.reservation = nil
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

    /// Closes an idle connection when the client has accepted every response.
    func finish(context: ChannelHandlerContext) {
        guard self.bytesToTake(context) > 0, let input = self.codec?.input else {
            self.machine.connectionLost()
            return context.close(promise: nil)
        }
        input.whenWritten(self.promiseOfLastWrite(context))
        self.update()
    }

    /// A promise for the last write. The output is closed when the write completes, never before all of it is sent.
    private func promiseOfLastWrite(_ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        self.output.awaitsLastWrite = true
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in bound.value.lastWriteDone() }
        return written
    }

    /// Closes the sending side, so that the client sees the end of the response. Reading continues, because unread
    /// input would cause a reset.
    func halfClose(context: ChannelHandlerContext) {
        let closed = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        closed.futureResult.whenFailure { _ in bound.value.context?.close(promise: nil) }
        context.close(mode: .output, promise: closed)
    }

    // MARK: Streams

    /// Writes the next piece of a streamed body. `promise` succeeds when the channel is writable.
    func writeStream(_ buffer: ByteBuffer, of number: UInt64, promise: EventLoopPromise<Void>) {
        guard let context = self.context, self.output.isStreaming, self.exchange?.number == number,
            context.channel.isActive
        else { return promise.fail(HTTPServiceError.connectionClosed) }
        if buffer.readableBytes > 0 {
            self.exchange?.bytesOut += buffer.readableBytes
            self.write(piece: buffer, context: context)
            self.reportProgress(context: context)
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

    /// Closes the connection if a handler failed after the head was sent, so that the client detects the truncated
    /// body.
    func abortStream(of number: UInt64) {
        guard let context = self.context, self.output.isStreaming, self.exchange?.number == number else { return }
        context.close(promise: nil)
    }
}
