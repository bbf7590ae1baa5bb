import NIOCore

/// Turns: the input of a connection is handled in bounded portions, and between two of them other connections get
/// their turn. While input is kept for a later turn, nothing more is read from the channel.
extension WebSocketHandler {
    /// Handles kept input until it is used up or the turn's budget is spent.
    func handleInput(_ context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        do throws(WebSocketViolation) {
            while state != .finished, unread.readableBytes > 0 {
                guard !turn.isSpent else {
                    hasKeptInput = true
                    break
                }
                let size = min(unread.readableBytes, turn.bytesLeft)
                guard var portion = unread.getSlice(at: unread.readerIndex, length: size) else { break }
                let inflatedBefore = receiver.inflatedBytes
                let event = try receiver.next(&portion)
                let parsed = size - portion.readableBytes
                unread.moveReaderIndex(forwardBy: parsed)
                turn.spend(bytes: parsed, inflated: receiver.inflatedBytes - inflatedBefore, isEvent: event != nil)
                if let event {
                    guard rate.admit(at: now) else { throw .tooManyMessages }
                    handle(event, context)
                } else if size == unread.readableBytes + parsed {
                    // An incomplete frame: more bytes must be received.
                    break
                } else if parsed == 0 {
                    // An incomplete frame at the end of the budget. It is smaller than the budget of a whole turn.
                    hasKeptInput = true
                    break
                }
            }
        } catch {
            fail(error, context)
        }
        if state == .finished { hasKeptInput = false }
        // Release the buffer: without kept input it holds at most an incomplete header or control frame.
        if unread.readableBytes == 0 || state == .finished { unread = ByteBuffer() } else { unread.discardReadBytes() }
    }

    /// Reads more input: kept input in a later turn, otherwise from the channel.
    func readOn(_ context: ChannelHandlerContext) {
        guard hasKeptInput else { return context.read() }
        guard !isTurnRequested else { return }
        isTurnRequested = true
        turns?.append { [self] in
            isTurnRequested = false
            if hasKeptInput { takeTurn(context) }
        }
    }

    /// Handles kept input as if it had just been received.
    private func takeTurn(_ context: ChannelHandlerContext) {
        if state == .open && !context.channel.isWritable && !isInputClosed {
            isReadHeldBack = true
            return
        }
        turn = TurnBudget()
        hasKeptInput = false
        handleInput(context)
        turn = TurnBudget()
        context.fireChannelReadComplete()
        if isInputClosed {
            if hasKeptInput { readOn(context) } else { drop(context) }
        } else if state == .open {
            // As a channel with `autoRead` does; the application may hold the read back.
            context.pipeline.read()
        } else if state == .closing || hasKeptInput {
            readOn(context)
        } else {
            context.read()
        }
    }
}
