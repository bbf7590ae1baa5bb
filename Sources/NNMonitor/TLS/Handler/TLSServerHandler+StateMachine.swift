extension TLSServerHandler {
    /// The states of a connection and what each event means in them. Pure: it touches no channel and no OpenSSL.
    struct StateMachine {
        enum Output: Equatable {
            case open
            /// `close(mode: .output)` was asked for; flushed writes still have to go out before `close_notify`.
            case draining
            /// `close_notify` was written and is on its way out, behind what was written before it.
            case closing
            /// `close_notify` is out.
            case closed
        }

        enum State: Equatable {
            case idle
            /// `begun`: the peer has sent at least one byte.
            case handshaking(begun: Bool)
            /// `input` is false once the peer's side has ended: by `close_notify`, or by the end of TCP.
            case open(input: Bool, output: Output)
            /// Everything is to be closed. `close_notify` is on its way; when it is out, the connection closes.
            case closing
            /// An alert or a plain answer was sent. What the peer still sends is thrown away until it closes: closing
            /// at once would reset the connection, and the peer might lose our last words.
            case lingering
            case closed
        }

        private(set) var state = State.idle

        var isHandshaking: Bool {
            if case .handshaking = state { true } else { false }
        }

        /// True while writes can be encrypted.
        var canEncrypt: Bool {
            switch state {
            case .open(_, .open), .open(_, .draining): true
            default: false
            }
        }

        /// True while new writes are taken in, if only to wait for the handshake.
        var acceptsWrites: Bool {
            switch state {
            case .idle, .handshaking, .open(_, .open): true
            default: false
            }
        }

        // MARK: The beginning

        /// The channel is active. True: begin the handshake and its deadline.
        mutating func start() -> Bool {
            guard state == .idle else { return false }
            state = .handshaking(begun: false)
            return true
        }

        enum ReceiveAction: Equatable { case handshake, answerPlainHTTP, decrypt, discard }

        /// Bytes have come. Only the first byte of a connection matters here: a TLS client begins with a handshake
        /// record (22), an HTTP client with the capital letter of a method.
        mutating func received(firstByte: UInt8?) -> ReceiveAction {
            switch state {
            case .handshaking(begun: false):
                guard let firstByte else { return .discard }
                if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(firstByte) {
                    state = .lingering
                    return .answerPlainHTTP
                }
                state = .handshaking(begun: true)
                return .handshake
            case .handshaking(begun: true): return .handshake
            case .open(input: true, _): return .decrypt
            case .idle, .open(input: false, _), .closing, .lingering, .closed: return .discard
            }
        }

        /// The handshake is through. True when that is news.
        mutating func handshakeCompleted() -> Bool {
            guard isHandshaking else { return false }
            state = .open(input: true, output: .open)
            return true
        }

        /// The deadline of the handshake has come. True: give up and close.
        mutating func deadlinePassed() -> Bool {
            guard isHandshaking else { return false }
            state = .closed
            return true
        }

        // MARK: The end of the peer's side

        enum CloseNotifyAction: Equatable {
            /// Tell the application that the input has ended; it may go on writing.
            case fireInputClosed
            /// Answer with `close_notify` and close.
            case answerAndClose
            /// Both have said goodbye, and ours is still on its way: what is written before it must not be lost.
            case awaitOurs
            /// Both have said goodbye: close.
            case close
            case none
        }

        /// The peer's `close_notify` was read.
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
            case fail(TLSError)
            /// Tell the application that the input has ended; it may go on writing.
            case fireInputClosed
            case close
            case none
        }

        /// The peer's side of TCP has ended, while ours is open.
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

        /// The channel is gone.
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

        // MARK: Our side

        enum CloseOutputAction: Equatable {
            /// Send what is flushed first.
            case drain
            /// Send `close_notify` and shut the output.
            case sendCloseNotify
            /// There is no output to close in an orderly way: close everything.
            case closeTransport
            case alreadyClosed
        }

        /// The application wants to send no more.
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

        /// All that was flushed is encrypted. True: `close_notify` is due now.
        mutating func drained() -> Bool {
            guard case .open(let input, .draining) = state else { return false }
            state = .open(input: input, output: .closing)
            return true
        }

        enum CloseNotifySentAction: Equatable {
            /// Shut the transport's output; the peer may go on sending.
            case shutOutput
            /// Nothing more is to come from either side: close.
            case close
            case none
        }

        /// The `close_notify` that ended the output is out, and all before it.
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
            /// Send `close_notify`, and close when it is out.
            case closeNotifyThenClose
            /// `close_notify` is on its way already; close when it is out, but don't wait for that without end.
            case closeWhenSent
            case closeNow
            /// The close is under way; it will come by itself.
            case wait
        }

        /// The application wants to close. When flushed writes are lost by it, no `close_notify` is sent: it would tell
        /// the peer that it has got everything.
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

        /// The connection is broken. True when it was not known to be at its end before.
        mutating func failed() -> Bool {
            switch state {
            case .idle, .handshaking, .open:
                state = .lingering
                return true
            case .closing, .lingering, .closed: return false
            }
        }

        /// The last words are out, or the time for them is over.
        mutating func finished() {
            state = .closed
        }
    }
}
