extension TLSHandler {
    /// The states of a TLS connection, and the action for each event in each state. It does no I/O.
    struct StateMachine {
        enum Output: Equatable {
            /// Writes are accepted.
            case open
            /// `close(mode: .output)` was called; flushed writes must be sent before `close_notify`.
            case draining
            /// `close_notify` was written to the channel, which has not sent it yet.
            case closing
            /// `close_notify` was sent.
            case closed
        }

        enum State: Equatable {
            /// The channel is not active yet.
            case idle
            /// `begun` is true once the peer has sent at least one byte.
            case handshaking(begun: Bool)
            /// The handshake is complete. `input` is false once the peer has sent `close_notify` or closed its side of
            /// TCP.
            case open(input: Bool, output: Output)
            /// Both directions are closing: the connection closes once `close_notify` has been sent.
            case closing
            /// An alert or a plaintext answer was sent. Input is discarded until the peer closes: closing immediately
            /// would reset the connection, and the peer might lose the alert or answer.
            case lingering
            case closed
        }

        private(set) var state = State.idle

        var isHandshaking: Bool {
            if case .handshaking = state { true } else { false }
        }

        /// Whether flushed writes can be encrypted.
        var canEncrypt: Bool {
            switch state {
            case .open(_, .open), .open(_, .draining): true
            default: false
            }
        }

        /// Whether new writes are queued. Before the end of the handshake they wait in the queue.
        var acceptsWrites: Bool {
            switch state {
            case .idle, .handshaking, .open(_, .open): true
            default: false
            }
        }

        // MARK: Handshake

        /// The channel is active.
        ///
        /// - Returns: whether to start the handshake and its timeout.
        mutating func start() -> Bool {
            guard state == .idle else { return false }
            state = .handshaking(begun: false)
            return true
        }

        enum ReceiveAction: Equatable { case handshake, answerPlaintext, decrypt, discard }

        /// Bytes were received.
        ///
        /// The first byte of the connection distinguishes TLS from plaintext: TLS starts with a handshake record
        /// (content type 22, RFC 8446 section 5.1), text protocols such as HTTP with a capital letter.
        mutating func received(firstByte: UInt8?) -> ReceiveAction {
            switch state {
            case .handshaking(begun: false):
                guard let firstByte else { return .discard }
                if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(firstByte) {
                    state = .lingering
                    return .answerPlaintext
                }
                state = .handshaking(begun: true)
                return .handshake
            case .handshaking(begun: true): return .handshake
            case .open(input: true, _): return .decrypt
            case .idle, .open(input: false, _), .closing, .lingering, .closed: return .discard
            }
        }

        /// OpenSSL has completed the handshake.
        ///
        /// - Returns: whether the connection was handshaking until now.
        mutating func handshakeCompleted() -> Bool {
            guard isHandshaking else { return false }
            state = .open(input: true, output: .open)
            return true
        }

        /// The timeout of the handshake has passed.
        ///
        /// - Returns: whether to close the connection because the handshake is not complete.
        mutating func deadlinePassed() -> Bool {
            guard isHandshaking else { return false }
            state = .closed
            return true
        }

        // MARK: Input ends

        enum CloseNotifyAction: Equatable {
            /// Fire `ChannelEvent.inputClosed`; the application can still write.
            case fireInputClosed
            /// Respond with `close_notify` and close.
            case answerAndClose
            /// Wait until our `close_notify` and the writes before it have been sent, then close.
            case awaitOurs
            /// Close: `close_notify` was sent and received.
            case close
            case none
        }

        /// The peer's `close_notify` was received. With `halfClosure`, the application can still write
        /// after the end of the input.
        mutating func closeNotifyReceived(halfClosure: Bool) -> CloseNotifyAction {
            switch state {
            case .open(input: true, .closed):
                state = .closed
                return .close
            case .open(input: true, .closing):
                state = .open(input: false, output: .closing)
                return .awaitOurs
            case .open(input: true, let output):
                guard halfClosure else {
                    state = .closing
                    return .answerAndClose
                }
                state = .open(input: false, output: output)
                return .fireInputClosed
            default: return .none
            }
        }

        enum TransportEndAction: Equatable {
            /// Fire the error and close.
            case fail(TLSError)
            /// Fire `ChannelEvent.inputClosed`; the application can still write.
            case fireInputClosed
            case close
            case none
        }

        /// The peer closed its side of TCP; ours is open.
        mutating func transportInputEnded() -> TransportEndAction {
            switch state {
            case .open(input: true, .closed):
                state = .closed
                return .close
            case .open(input: true, .closing):
                state = .open(input: false, output: .closing)
                return .none
            case .open(input: true, let output):
                state = .open(input: false, output: output)
                return .fireInputClosed
            default: return ended()
            }
        }

        /// The channel is inactive.
        mutating func channelEnded() -> TransportEndAction {
            defer { state = .closed }
            if case .open(input: true, _) = state { return .fail(.truncated) }
            return ended()
        }

        private mutating func ended() -> TransportEndAction {
            switch state {
            case .handshaking(begun: true):
                state = .closed
                return .fail(.handshakeInterrupted)
            case .handshaking(begun: false), .lingering:
                state = .closed
                return .close
            case .idle, .open, .closing, .closed: return .none
            }
        }

        // MARK: Output closes

        enum CloseOutputAction: Equatable {
            /// Send the flushed writes first.
            case drain
            /// Send `close_notify` and close the output of the channel.
            case sendCloseNotify
            /// Close the channel: before the end of the handshake no `close_notify` can be sent.
            case closeTransport
            case alreadyClosed
        }

        /// The application closes its output.
        mutating func closeOutput(hasFlushedWrites: Bool) -> CloseOutputAction {
            switch state {
            case .open(let input, .open):
                state = .open(input: input, output: hasFlushedWrites ? .draining : .closing)
                return hasFlushedWrites ? .drain : .sendCloseNotify
            case .idle, .handshaking:
                state = .closed
                return .closeTransport
            case .open, .closing, .lingering, .closed: return .alreadyClosed
            }
        }

        /// All flushed writes are encrypted.
        ///
        /// - Returns: whether to send `close_notify` now.
        mutating func drained() -> Bool {
            guard case .open(let input, .draining) = state else { return false }
            state = .open(input: input, output: .closing)
            return true
        }

        enum CloseNotifySentAction: Equatable {
            /// Close the output of the channel; the peer can still send.
            case shutOutput
            /// Close the channel: both directions have ended.
            case close
            case none
        }

        /// The channel has sent our `close_notify` and all writes before it.
        mutating func closeNotifySent() -> CloseNotifySentAction {
            switch state {
            case .open(input: true, .closing):
                state = .open(input: true, output: .closed)
                return .shutOutput
            case .open(input: false, .closing), .closing:
                state = .closed
                return .close
            default: return .none
            }
        }

        enum CloseAction: Equatable {
            /// Send `close_notify`, then close.
            case closeNotifyThenClose
            /// Close once the `close_notify` already written has been sent, or after the close timeout.
            case closeWhenSent
            /// Close the channel without `close_notify`.
            case closeNow
            /// Do nothing: the channel closes after the linger timeout or when the peer closes.
            case wait
        }

        /// The application closes the channel. If that loses flushed writes, no `close_notify` is sent, because it
        /// would mark the data received by the peer as complete.
        mutating func close(hasFlushedWrites: Bool) -> CloseAction {
            switch state {
            case .open(_, .open) where !hasFlushedWrites:
                state = .closing
                return .closeNotifyThenClose
            case .open(_, .closing):
                state = .closing
                return .closeWhenSent
            case .lingering: return .wait
            case .idle, .handshaking, .open, .closing, .closed:
                state = .closed
                return .closeNow
            }
        }

        /// The connection failed.
        ///
        /// - Returns: whether to send the alert and fire the error: false if the connection was already ending.
        mutating func failed() -> Bool {
            switch state {
            case .idle, .handshaking, .open:
                state = .lingering
                return true
            case .closing, .lingering, .closed: return false
            }
        }

        /// The connection is closed, or is being closed without further output.
        mutating func finished() {
            state = .closed
        }
    }
}
