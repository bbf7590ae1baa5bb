import NIOCore

/// The input of a connection: received bytes in, messages and control frames out, in turns of bounded work and within
/// the rate. Bytes for which a turn has no budget left are kept for a later turn.
struct MessageInput: ~Copyable {
    /// Received bytes that are not parsed yet.
    private var unread = ByteBuffer()
    private var receiver: MessageReceiver
    private var rate: MessageRate
    private var turn = TurnBudget()
    private let mayBeCompressed: Bool
    /// Whether bytes are kept for a later turn.
    private(set) var isKept = false

    init(configuration: WebSocketConfiguration, deflate: DeflateParameters?) {
        receiver = MessageReceiver(configuration: configuration, deflate: deflate)
        rate = MessageRate(perSecond: configuration.maximumMessageRate)
        mayBeCompressed = deflate != nil
    }

    /// The number of bytes decompressed so far.
    var inflatedBytes: Int { receiver.inflatedBytes }

    /// Appends received bytes.
    mutating func append(_ bytes: ByteBuffer) {
        if unread.readableBytes == 0 { unread = bytes } else { unread.writeImmutableBuffer(bytes) }
    }

    /// Begins a turn with the kept bytes.
    ///
    /// - Parameter roundSize: the number of connections that take a turn in this round.
    mutating func resume(roundSize: Int) {
        isKept = false
        turn = TurnBudget(roundSize: roundSize)
    }

    /// The next message or control frame of this turn.
    ///
    /// - Parameter now: the time, for the rate.
    /// - Returns: the event; `nil` if more bytes must arrive, or if the rest is kept for a later turn.
    /// - Throws: the violation of a rule or limit by the peer.
    mutating func next(at now: NIODeadline) throws(WebSocketViolation) -> ReceivedEvent? {
        while unread.readableBytes > 0 {
            guard !turn.isSpent else { return keep() }
            let size = min(unread.readableBytes, turn.portion(mayBeCompressed: mayBeCompressed))
            guard var portion = unread.getSlice(at: unread.readerIndex, length: size) else { return nil }
            let inflatedBefore = receiver.inflatedBytes
            let event = try receiver.next(&portion)
            let parsed = size - portion.readableBytes
            unread.moveReaderIndex(forwardBy: parsed)
            turn.spend(bytes: parsed, inflated: receiver.inflatedBytes - inflatedBefore, isEvent: event != nil)
            if let event {
                guard rate.admit(at: now) else { throw .tooManyMessages }
                return event
            }
            // An incomplete frame at the end of all bytes: more must arrive.
            if size == unread.readableBytes + parsed { return nil }
            // An incomplete frame at the end of the budget. It is smaller than the budget of a whole turn.
            if parsed == 0 { return keep() }
        }
        return nil
    }

    private mutating func keep() -> ReceivedEvent? {
        isKept = true
        return nil
    }

    /// Frees the memory of parsed bytes. Unless bytes are kept, only an incomplete header or control frame is left.
    mutating func compact() {
        if unread.readableBytes == 0 { unread = ByteBuffer() } else { unread.discardReadBytes() }
    }

    /// Ends the turn: the next call of `next` has a new budget.
    mutating func endTurn() { turn = TurnBudget() }

    /// Discards all bytes: the input is not parsed any more.
    mutating func discard() {
        unread = ByteBuffer()
        isKept = false
    }
}
