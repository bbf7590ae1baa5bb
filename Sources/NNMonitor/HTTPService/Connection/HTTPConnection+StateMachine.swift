// This file is long because a state machine is read whole: every state with every event that it accepts.

import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// The connection's state machine. It takes the decoder's events and returns the next step, and decides when to
    /// decode and read, when the connection times out, and how it ends. It performs no I/O and reads no clock, so tests
    /// need neither sockets nor real time.
    ///
    /// One cycle per request: `idle` -> `head` -> `admitting` (the gate decides) -> `body` -> `answering`, then back to
    /// `idle`; via `draining` if the response preceded the end of the body, or to `lingering` if it was the last. In
    /// `finishing` no more requests are read, but the client has not yet accepted every response.
    struct StateMachine {
        /// The limits from the configuration.
        struct Limits {
            var headTimeout: TimeAmount
            var bodyTimeout: TimeAmount
            var idleTimeout: TimeAmount
            var lingerTimeout: TimeAmount
            var lingerBytes: Int
            var drainBytes: Int
        }

        /// An input event.
        enum Input {
            case head(RequestHead)
            case body(ByteBuffer)
            case end
            case failure(RequestFailure)
            /// The client has closed its sending side.
            case inputClosed
        }

        /// An action for the connection to perform.
        enum Step {
            /// Ask the gate, then call `accepted` or `refused`.
            case admit(RequestHead)
            /// Append a piece to the body of the admitted request.
            case collect(ByteBuffer)
            /// Run the handler of the complete request.
            case execute
            /// Send the response to the failure, as the last one of the connection.
            case refuse(RequestFailure)
            /// No more requests will be read: call `answerEnded` when all responses are sent, or close if they already
            /// are.
            case finish
            /// The last response is sent: close the output and discard further input.
            case halfClose
            /// Close the connection now.
            case close
        }

        private enum Phase: Equatable {
            case idle
            case head
            case admitting
            case body
            case answering
            case draining(left: Int)
            case finishing
            case lingering(left: Int)
            case upgrading
            case closed
        }

        private let limits: Limits
        private var phase = Phase.idle
        private var quiescing = false
        private var answered = 0

        // The current request.
        private var requestEnded = false
        private var waitsForContinue = false
        /// The remaining bytes of the body; nil if it is chunked.
        private var bodyLeft: Int? = 0
        private(set) var isPersistent = false

        /// When to call `deadlinePassed`; nil for never.
        private(set) var deadline: NIODeadline?

        init(limits: Limits, now: NIODeadline) {
            self.limits = limits
            deadline = now + limits.headTimeout
        }

        // MARK: Input

        /// Whether to decode the next event now. The next request is decoded only after the previous one was answered,
        /// and only while the channel is `writable`, so that a client which does not read its responses cannot cause
        /// more.
        func wantsInput(writable: Bool) -> Bool {
            switch phase {
            case .idle, .head: writable
            case .body, .draining: true
            case .answering: !requestEnded
            // The end of the input ends these phases; the bytes before it are discarded.
            case .lingering: true
            case .admitting, .finishing, .upgrading, .closed: false
            }
        }

        /// Whether input is discarded instead of decoded.
        var discardsInput: Bool {
            switch phase {
            case .lingering, .closed: true
            default: false
            }
        }

        /// Whether to read from the socket, if all input has been decoded.
        var mayRead: Bool { phase != .upgrading }

        /// Records that bytes are about to be decoded.
        mutating func inputArrived(now: NIODeadline) {
            guard phase == .idle else { return }
            phase = .head
            // The timeout of the first head runs from the start of the connection.
            if answered > 0 { deadline = now + limits.headTimeout }
        }

        /// Records that bytes were discarded.
        mutating func inputDiscarded(_ count: Int) -> Step? {
            guard case .lingering(let left) = phase else { return nil }
            guard count <= left else { return close() }
            phase = .lingering(left: left - count)
            return nil
        }

        /// Takes an event that `wantsInput` asked for.
        mutating func receive(_ input: Input, now: NIODeadline) -> Step? {
            switch (phase, input) {
            case (.idle, .head(let head)), (.head, .head(let head)): return begin(head)
            case (.idle, .failure(let failure)), (.head, .failure(let failure)), (.body, .failure(let failure)):
                return refuse(failure)
            case (.idle, .inputClosed): return finish()
            case (.head, .inputClosed), (.body, .inputClosed):
                return refuse(.malformed("The request ended too early"))
            case (.body, .body(let bytes)):
                count(bytes)
                return .collect(bytes)
            case (.body, .end):
                requestEnded = true
                phase = .answering
                deadline = nil
                return .execute
            case (.answering, .body(let bytes)): count(bytes)
            case (.answering, .end): requestEnded = true
            case (.answering, .failure), (.answering, .inputClosed):
                requestEnded = true
                isPersistent = false
            case (.draining(let left), .body(let bytes)):
                guard bytes.readableBytes <= left else { return linger(now: now) }
                phase = .draining(left: left - bytes.readableBytes)
            case (.draining, .end):
                if quiescing { return finish() }
                becomeIdle(now: now)
            case (.draining, .failure): return linger(now: now)
            case (.draining, .inputClosed): return linger(now: now)
            case (.lingering, .inputClosed): return close()
            default: break
            }
            return nil
        }

        // MARK: Events from the connection

        /// Records that the gate accepted the request.
        ///
        /// - Parameters:
        ///   - now: the current time.
        ///   - bodyIsHere: whether a part of the body has arrived.
        /// - Returns: whether to send `100 Continue`. It is not sent if part of the body has already arrived.
        mutating func accepted(now: NIODeadline, bodyIsHere: Bool) -> Bool {
            phase = .body
            deadline = now + limits.bodyTimeout
            defer { waitsForContinue = false }
            return waitsForContinue && !bodyIsHere && bodyLeft != 0
        }

        /// Records that the request is answered before its end: by the gate, or because its body is rejected.
        ///
        /// - Parameter closing: whether the framing is doubtful. The connection then closes, because the next request
        ///   may start anywhere.
        mutating func refused(closing: Bool) {
            phase = .answering
            deadline = nil
            if closing { isPersistent = false }
        }

        var isClosed: Bool { phase == .closed }

        /// Whether the server is shutting down.
        var isQuiescing: Bool { quiescing }

        /// Whether the connection waits for the first byte of a request.
        var isIdle: Bool { phase == .idle }

        /// Whether the current request still needs a response.
        var owesAnswer: Bool { phase == .answering }

        /// Records that the head of the response is about to be written.
        ///
        /// - Parameter closing: whether the end of the connection marks the end of the response.
        /// - Returns: whether the connection stays open after the response.
        mutating func answerBegins(closing: Bool) -> Bool {
            if closing || quiescing { isPersistent = false }
            if !requestEnded, isPersistent {
                let restIsSmall = bodyLeft.map { $0 <= limits.drainBytes } ?? false
                // A client whose `Expect` got a final response may or may not send its body, so only closing makes the
                // next request unambiguous.
                isPersistent = restIsSmall && !(waitsForContinue && bodyLeft != 0)
            }
            return isPersistent
        }

        /// Records that the response was written to its end; for the last response of a connection, that it was also
        /// sent.
        mutating func answerEnded(now: NIODeadline) -> Step? {
            if phase == .finishing { return linger(now: now) }
            guard phase == .answering else { return nil }
            answered += 1
            guard isPersistent else { return linger(now: now) }
            if requestEnded {
                becomeIdle(now: now)
            } else {
                phase = .draining(left: limits.drainBytes)
                deadline = now + limits.lingerTimeout
            }
            return nil
        }

        /// Records that the connection changes its protocol.
        mutating func upgrade() {
            phase = .upgrading
            deadline = nil
        }

        /// Records that the server is shutting down.
        mutating func quiesce() -> Step? {
            quiescing = true
            isPersistent = false
            // In `draining`, the rest of the body is still read: closing with unread input could reset the connection
            // before the client has read the response.
            return phase == .idle ? finish() : nil
        }

        /// Handles the expiry of `deadline`.
        mutating func deadlinePassed() -> Step? {
            deadline = nil
            switch phase {
            case .idle: return finish()
            case .draining, .lingering: return close()
            case .head: return refuse(.headTimeout)
            case .body: return refuse(.bodyTimeout)
            case .admitting, .answering, .finishing, .upgrading, .closed: return nil
            }
        }

        /// Records that the connection was closed.
        mutating func connectionLost() {
            _ = close()
        }

        // MARK: Transitions

        private mutating func begin(_ head: RequestHead) -> Step {
            phase = .admitting
            deadline = nil
            requestEnded = false
            bodyLeft = head.framing.length
            // With any `Expect` header the client may hold its body back until it gets an interim response.
            waitsForContinue = !head.isHTTP10 && head.headers.contains(name: "expect")
            // Other upgrade requests are ignored (RFC 9110 section 7.8).
            isPersistent =
                head.isPersistent && !quiescing && !head.requestsWebSocket && head.method != .CONNECT
            return .admit(head)
        }

        private mutating func refuse(_ failure: RequestFailure) -> Step {
            phase = .answering
            deadline = nil
            requestEnded = true
            isPersistent = false
            return .refuse(failure)
        }

        private mutating func becomeIdle(now: NIODeadline) {
            phase = .idle
            deadline = now + limits.idleTimeout
        }

        private mutating func finish() -> Step {
            phase = .finishing
            deadline = nil
            return .finish
        }

        private mutating func linger(now: NIODeadline) -> Step {
            phase = .lingering(left: limits.lingerBytes)
            deadline = now + limits.lingerTimeout
            return .halfClose
        }

        private mutating func close() -> Step {
            phase = .closed
            deadline = nil
            return .close
        }

        private mutating func count(_ bytes: ByteBuffer) {
            if let left = bodyLeft { bodyLeft = max(0, left - bytes.readableBytes) }
        }
    }
}

extension HTTPConnection.StateMachine.Limits {
    init(_ configuration: HTTPConfiguration) {
        self.init(
            headTimeout: configuration.headTimeout, bodyTimeout: configuration.bodyTimeout,
            idleTimeout: configuration.idleTimeout, lingerTimeout: configuration.lingerTimeout,
            lingerBytes: configuration.lingerBytes, drainBytes: configuration.drainBytes)
    }
}
