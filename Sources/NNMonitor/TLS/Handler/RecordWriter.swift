import NIOCore

/// The output of a TLS connection: queues plaintext, encrypts it into records while the channel is writable, and sends
/// what OpenSSL writes on its own.
final class RecordWriter {
    /// Full records encrypted for one write to the channel: enough to amortize the system call, few enough to stop soon
    /// after the channel becomes unwritable.
    private static let recordsPerBatch = 4

    private let maximumControlBytes: Int
    private var pending = PendingWrites()
    /// Whether a write to the channel is on the call stack.
    private var isWriting = false
    /// Whether the channel's writability changed during a write.
    private var isWritabilityEventDeferred = false
    /// Bytes of alerts and key updates written since the channel became unwritable.
    private var unsentControlBytes = 0

    /// - Parameter maximumControlBytes: the maximum number of bytes of alerts and key updates written while the channel
    ///   is not writable.
    init(maximumControlBytes: Int) { self.maximumControlBytes = maximumControlBytes }

    // MARK: Plaintext

    /// Whether flushed writes wait for the channel.
    var hasFlushed: Bool { pending.hasFlushed }

    /// Queues plaintext. The promise succeeds once the last byte has been sent.
    func append(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?) {
        pending.append(bytes, promise: promise)
    }

    /// Marks all queued writes as flushed.
    func markFlushed() { pending.markFlushed() }

    /// Removes the writes that are not flushed and fails their promises.
    func failUnflushed(_ error: any Error) {
        for promise in pending.removeUnflushed() { promise.fail(error) }
    }

    /// Removes all writes and fails their promises.
    func failAll(_ error: any Error) {
        for promise in pending.removeAll() { promise.fail(error) }
    }

    /// Begins to send queued writes.
    ///
    /// Writing to the channel can complete promises and fire events, which can lead back here. Only the outermost call
    /// does the work, so the order of bytes is preserved.
    ///
    /// - Returns: whether this is the outermost call, which calls `endWriting` when it is done.
    func beginWriting() -> Bool {
        guard !isWriting else { return false }
        isWriting = true
        return true
    }

    /// Ends `beginWriting`.
    ///
    /// - Returns: whether the event of a changed writability is to be fired now.
    func endWriting() -> Bool {
        defer { isWritabilityEventDeferred = false }
        isWriting = false
        return isWritabilityEventDeferred
    }

    /// Records a change of the channel's writability.
    ///
    /// A channel that sends a whole batch at once changes it in the middle of a write. The event is then fired by the
    /// outermost call: nothing is encrypted until then, so the application would fill the queue without limit.
    ///
    /// - Returns: whether the event is to be fired now.
    func writabilityChanged(isWritable: Bool) -> Bool {
        if isWritable { unsentControlBytes = 0 }
        if isWriting { isWritabilityEventDeferred = true }
        return !isWriting
    }

    /// Encrypts the next flushed writes.
    ///
    /// - Parameters:
    ///   - session: the session that encrypts.
    ///   - allocator: allocates buffers.
    /// - Returns: the ciphertext, and the promise to complete when it has been sent.
    /// - Throws: OpenSSL's error; the promises of the writes have failed.
    func encryptBatch(
        with session: TLSSession, allocator: ByteBufferAllocator
    ) throws(TLSError) -> (ciphertext: ByteBuffer, promise: EventLoopPromise<Void>?) {
        var completing: [EventLoopPromise<Void>] = []
        let limit = TLSSession.recordSize
        session.reserve(plaintext: pending.flushedBytes(upTo: Self.recordsPerBatch * limit), allocator: allocator)
        do throws(TLSError) {
            for _ in 0..<Self.recordsPerBatch {
                let chunk = pending.nextChunk(limit: limit, allocator: allocator, completing: &completing)
                guard let chunk else { break }
                try session.write(chunk)
            }
        } catch {
            for promise in completing { promise.fail(error) }
            throw error
        }
        return (session.takeCiphertext() ?? ByteBuffer(), Self.join(completing))
    }

    /// Returns one promise that completes all of them.
    private static func join(_ promises: [EventLoopPromise<Void>]) -> EventLoopPromise<Void>? {
        guard let first = promises.first else { return nil }
        for promise in promises.dropFirst() { first.futureResult.cascade(to: promise) }
        return first
    }

    // MARK: Control messages

    /// The ciphertext that OpenSSL wrote on its own: handshake messages, tickets, key updates, alerts.
    ///
    /// - Returns: the ciphertext to send now; nil if there is none.
    /// - Throws: `controlFlood` if a peer that does not read causes too much of it.
    func controlMessages(of session: TLSSession, isWritable: Bool) throws(TLSError) -> ByteBuffer? {
        guard let ciphertext = session.takeCiphertext() else { return nil }
        if !isWritable { unsentControlBytes += ciphertext.readableBytes }
        guard unsentControlBytes <= maximumControlBytes else { throw .controlFlood }
        return ciphertext
    }
}

@available(*, unavailable)
extension RecordWriter: Sendable {}
