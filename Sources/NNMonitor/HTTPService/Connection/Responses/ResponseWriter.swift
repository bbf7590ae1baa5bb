package import NIOCore

/// Writes to one connection and applies its back-pressure: large bodies are written piece by piece, a producer waits
/// until the channel is writable, and a client that accepts nothing for a set time is reported. Runs only on the
/// connection's event loop.
///
/// Its owner forwards `channelWritabilityChanged`. The order of the bytes is the order of the calls.
package final class ResponseWriter {
    /// What the owner of a writer is notified of.
    package protocol Owner: AnyObject {
        /// A body was written to its end after `write(body:)` had returned false.
        func bodyWritten()
        /// All bytes were sent, or the connection is lost, after `notifyWhenSent`.
        func allSent()
        /// The client accepts too few bytes, or the memory of its response is needed for others.
        func clientStalled()
    }

    /// The maximum size of a body piece passed to the channel in one write, in bytes.
    private static let pieceSize = 128 * 1024

    private let context: ChannelHandlerContext
    private unowned let owner: any Owner
    private let stall: StallTimer
    private let stallTimeout: TimeAmount
    /// The part of the body that is written when the channel becomes writable.
    private var rest: ByteBuffer?
    /// Whether an outer call on the stack is writing `rest`.
    private var isWriting = false
    private var awaitsLastWrite = false
    /// The memory of the response that is being written.
    private var reservation: ResponseReservation?
    /// The number of responses that are written, but not sent, with their memory.
    private var unsentResponses = 0
    private var waiter: EventLoopPromise<Void>?
    private var isEnded = false
    /// The bytes passed to the channel as parts of a body since the start of the response.
    package private(set) var bodyBytes = 0

    /// Creates the writer of a connection.
    ///
    /// - Parameters:
    ///   - context: the context of the owner, a handler of the connection.
    ///   - owner: the owner, which must outlive the writer.
    ///   - stallTimeout: how long the client may accept no byte.
    ///   - rate: the minimum rate at which the client must accept bytes.
    package init(context: ChannelHandlerContext, owner: any Owner, stallTimeout: TimeAmount, rate: RateWatch) {
        self.context = context
        self.owner = owner
        self.stallTimeout = stallTimeout
        self.stall = StallTimer(
            context: context, timeout: stallTimeout, rate: rate,
            onStall: { [unowned owner] in owner.clientStalled() },
            onDrop: { [unowned owner] in owner.clientStalled() })
    }

    /// Starts the count of `bodyBytes` for a new response.
    ///
    /// - Parameters:
    ///   - reservation: the memory of the response, which is kept until the response is sent.
    ///   - stallTimeout: how long the client may accept no byte of it; nil for the connection's timeout.
    package func beginResponse(_ reservation: ResponseReservation? = nil, stallTimeout: TimeAmount? = nil) {
        bodyBytes = 0
        stall.timeout = stallTimeout ?? self.stallTimeout
        hold(reservation)
    }

    /// Replaces the memory of the response. The old reservation stays until the bytes written so far are sent.
    package func reserve(_ reservation: ResponseReservation?) {
        endResponse()
        hold(reservation)
    }

    private func hold(_ reservation: ResponseReservation?) {
        self.reservation = reservation
        if let reservation { stall.begin(reservation.progress) }
    }

    /// Releases the memory of the response, which is written to its end, when it is sent.
    package func endResponse() {
        guard let reservation else { return }
        self.reservation = nil
        guard !isEnded, unsentBytes > 0 else { return stall.endResponse() }
        unsentResponses += 1
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in
            withExtendedLifetime(reservation) {}
            unsentResponses -= 1
            if unsentResponses == 0, self.reservation == nil { stall.endResponse() }
            watch()
        }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: sent)
        watch()
    }

    /// Passes bytes to the channel. They are sent with the next flush.
    ///
    /// - Parameters:
    ///   - bytes: the bytes.
    ///   - bodyBytes: how many of them belong to a body.
    package func write(_ bytes: ByteBuffer, bodyBytes: Int = 0) {
        self.bodyBytes += bodyBytes
        context.write(NIOAny(bytes), promise: nil)
        stall.wrote(bodyBytes)
    }

    /// Sends all bytes that were written.
    package func flush() {
        context.flush()
        watch()
    }

    /// Writes a body while the channel is writable.
    ///
    /// - Returns: whether it is written to its end. If not, the writer continues when the channel becomes writable, and
    ///   finally calls `bodyWritten`.
    package func write(body: ByteBuffer) -> Bool {
        rest = body
        defer { watch() }
        return writePieces()
    }

    /// Writes pieces while the channel is writable.
    ///
    /// `flush()` can call `channelWritabilityChanged` synchronously, which re-enters this method. Only the outermost
    /// call writes, so the body ends once.
    ///
    /// - Returns: whether the last piece was written by this call.
    private func writePieces() -> Bool {
        guard !isWriting else { return false }
        isWriting = true
        defer { isWriting = false }
        while var body = rest {
            guard let piece = body.readSlice(length: min(body.readableBytes, Self.pieceSize)) else { return false }
            rest = body.readableBytes > 0 ? body : nil
            write(piece, bodyBytes: piece.readableBytes)
            guard rest != nil else { return true }
            context.flush()
            guard context.channel.isWritable else { return false }
        }
        return false
    }

    /// Completes `promise` when the channel is writable, which may be now; fails it when the writer ends or another
    /// promise takes its place.
    package func whenWritable(_ promise: EventLoopPromise<Void>) {
        guard !isEnded else { return promise.fail(HTTPServiceError.connectionClosed) }
        guard !context.channel.isWritable else { return promise.succeed() }
        waiter?.fail(HTTPServiceError.connectionClosed)
        waiter = promise
        watch()
    }

    /// Continues to write if the channel has become writable.
    package func writabilityChanged() {
        if context.channel.isWritable {
            stall.progressed()
            let waiter = self.waiter
            self.waiter = nil
            waiter?.succeed()
            if rest != nil, writePieces() { owner.bodyWritten() }
        }
        watch()
    }

    /// The bytes that the client has not accepted.
    package var unsentBytes: Int { stall.unsentBytes }

    /// Writes the last bytes, sends everything, and calls `allSent` when the last byte is sent.
    package func notifyWhenSent(last bytes: ByteBuffer = ByteBuffer()) {
        awaitsLastWrite = true
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in
            guard awaitsLastWrite else { return }
            awaitsLastWrite = false
            owner.allSent()
            watch()
        }
        context.writeAndFlush(NIOAny(bytes), promise: sent)
        watch()
    }

    /// Ends the writer: drops what is not passed to the channel and fails the promise of a waiting producer.
    package func end() {
        isEnded = true
        rest = nil
        awaitsLastWrite = false
        reservation = nil
        stall.end()
        waiter?.fail(HTTPServiceError.connectionClosed)
        waiter = nil
    }

    /// Watches the client while it has bytes to accept.
    private func watch() {
        guard !isEnded else { return }
        stall.watch(isWaiting: awaitsLastWrite || unsentResponses > 0 || !context.channel.isWritable)
    }
}

@available(*, unavailable)
extension ResponseWriter: Sendable {}
