// This file is long because a state machine is read whole: every state with every event that it accepts.

import DequeModule
import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// The connection's state machine. It consumes the decoder's parts and returns the next step, and decides when to
    /// read, when the connection times out, and how it ends. It performs no I/O and reads no clock, so tests need
    /// neither sockets nor real time.
    ///
    /// One cycle per request: `idle` -> `head` -> `admitting` (the gate decides) -> `body` -> `answering`, then back to
    /// `idle`; via `draining` if the response preceded the end of the body, or to `lingering` if it was the last. In
    /// `finishing` no more requests are read, but the client has not yet accepted every response.
    ///
    /// This file is long because every transition depends on the same state.
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
        enum Part {
            case head(HTTPRequestHead)
            case body(ByteBuffer)
            case end
            case failure(RequestFailure)
            case inputClosed
        }

        /// An action for the connection to perform.
        enum Step {
            /// Ask the gate, then call `letIn` or `refused`.
            case admit(HTTPRequestHead)
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
        private var queue: Deque<Part> = []
        /// Set by the first failure. Later input is ignored.
        private var inputIsBroken = false
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
            self.deadline = now + limits.headTimeout
        }

        // MARK: Input events

        /// Records that `count` bytes are about to be decoded or discarded.
        mutating func bytesArrived(_ count: Int, now: NIODeadline) -> Step? {
            switch self.phase {
            case .idle:
                self.phase = .head
                // The timeout of the first head runs from the start of the connection.
                if self.answered > 0 { self.deadline = now + self.limits.headTimeout }
            case .lingering(let left):
                guard count <= left else { return self.close() }
                self.phase = .lingering(left: left - count)
            default:
                break
            }
            return nil
        }

        mutating func receive(_ part: Part) {
            switch (part, self.phase) {
            case (_, .closed), (_, .upgrading):
                return
            case (.inputClosed, _):
                self.queue.append(part)
            case (_, .lingering):
                return
            case (.failure, _):
                guard !self.inputIsBroken else { return }
                self.inputIsBroken = true
                self.queue.append(part)
            default:
                guard !self.inputIsBroken else { return }
                self.queue.append(part)
            }
        }

        /// Records a failure detected outside the decoder. Parts that the decoder produced and that are still queued
        /// are dropped.
        mutating func fail(_ failure: RequestFailure) {
            guard !self.inputIsBroken else { return }
            self.queue.removeAll()
            self.receive(.failure(failure))
        }

        /// Whether more input should be decoded now. The next request is decoded only after the previous one was
        /// answered, and only while the channel is writable.
        func wantsInput(writable: Bool) -> Bool {
            switch self.phase {
            case .idle: writable && !self.inputIsBroken && self.queue.isEmpty
            case .head, .body, .draining: !self.inputIsBroken && self.queue.isEmpty
            case .answering: !self.requestEnded && !self.inputIsBroken && self.queue.isEmpty
            case .lingering: true
            case .admitting, .finishing, .upgrading, .closed: false
            }
        }

        /// Whether input is discarded.
        var discardsInput: Bool {
            switch self.phase {
            case .lingering, .closed: true
            default: false
            }
        }

        /// Whether more should be read from the socket now.
        var mayRead: Bool {
            switch self.phase {
            case .lingering, .closed: true
            case .upgrading: false
            default: self.queue.isEmpty
            }
        }

        // MARK: Next step

        /// The next step; nil if there is none until the next event. No new request begins while the channel is not
        /// `writable`, so that a client which does not read its responses cannot cause more.
        mutating func next(now: NIODeadline, writable: Bool) -> Step? {
            while true {
                switch self.phase {
                case .idle, .head:
                    guard writable, let part = self.queue.popFirst() else { return nil }
                    switch part {
                    case .head(let head): return self.begin(head)
                    case .failure(let failure): return self.refuse(failure)
                    case .inputClosed:
                        return self.phase == .idle
                            ? self.finish() : self.refuse(.malformed("The request ended too early"))
                    case .body, .end: continue
                    }
                case .body:
                    guard let part = self.queue.popFirst() else { return nil }
                    switch part {
                    case .body(let bytes):
                        self.count(bytes)
                        return .collect(bytes)
                    case .end, .head:
                        self.requestEnded = true
                        self.phase = .answering
                        self.deadline = nil
                        return .execute
                    case .failure(let failure): return self.refuse(failure)
                    case .inputClosed: return self.close()
                    }
                case .answering:
                    guard !self.requestEnded, let part = self.queue.popFirst() else { return nil }
                    switch part {
                    case .body(let bytes): self.count(bytes)
                    case .end, .head: self.requestEnded = true
                    case .failure, .inputClosed:
                        self.requestEnded = true
                        self.isPersistent = false
                    }
                case .draining(let left):
                    guard let part = self.queue.popFirst() else { return nil }
                    switch part {
                    case .body(let bytes):
                        guard bytes.readableBytes <= left else { return self.linger(now: now) }
                        self.phase = .draining(left: left - bytes.readableBytes)
                    case .end, .head:
                        if self.quiescing { return self.finish() }
                        self.becomeIdle(now: now)
                    case .failure, .inputClosed: return self.linger(now: now)
                    }
                case .lingering:
                    guard let part = self.queue.popFirst() else { return nil }
                    if case .inputClosed = part { return self.close() }
                case .admitting, .finishing, .upgrading, .closed:
                    return nil
                }
            }
        }

        // MARK: Events from the connection

        /// Records that the gate admitted the request.
        ///
        /// - Returns: whether to send `100 Continue`. It is not sent if part of the body has already arrived.
        mutating func letIn(now: NIODeadline, bodyIsHere: Bool) -> Bool {
            self.phase = .body
            self.deadline = now + self.limits.bodyTimeout
            defer { self.waitsForContinue = false }
            return self.waitsForContinue && !bodyIsHere && self.queue.isEmpty && self.bodyLeft != 0
        }

        /// Records that the request is answered before its end: by the gate, or because its body is rejected.
        ///
        /// - Parameter distrust: whether the framing is doubtful. The connection then closes, because the next request
        ///   may start anywhere.
        mutating func refused(distrust: Bool) {
            self.phase = .answering
            self.deadline = nil
            if distrust { self.isPersistent = false }
        }

        var isClosed: Bool { self.phase == .closed }

        /// Whether the current request still needs a response.
        var owesAnswer: Bool { self.phase == .answering }

        /// Records that the head of the response is about to be written.
        ///
        /// - Parameter closing: whether the end of the connection marks the end of the response.
        /// - Returns: whether the connection stays open after the response.
        mutating func answerBegins(closing: Bool) -> Bool {
            if closing || self.quiescing { self.isPersistent = false }
            if !self.requestEnded, self.isPersistent {
                let endIsHere = self.queue.contains { part in
                    if case .end = part { true } else { false }
                }
                let restIsSmall = self.bodyLeft.map { $0 <= self.limits.drainBytes } ?? false
                // A client whose `Expect` got a final response may or may not send its body, so only closing makes the
                // next request unambiguous.
                self.isPersistent = endIsHere || (restIsSmall && !(self.waitsForContinue && self.bodyLeft != 0))
            }
            return self.isPersistent
        }

        /// Records that the response was written to its end; for the last response of a connection, that it was also
        /// sent.
        mutating func answerEnded(now: NIODeadline) -> Step? {
            if self.phase == .finishing { return self.linger(now: now) }
            guard self.phase == .answering else { return nil }
            self.answered += 1
            guard self.isPersistent else { return self.linger(now: now) }
            if self.requestEnded {
                self.becomeIdle(now: now)
            } else {
                self.phase = .draining(left: self.limits.drainBytes)
                self.deadline = now + self.limits.lingerTimeout
            }
            return nil
        }

        /// Records that the connection changes its protocol.
        mutating func upgrade() {
            self.phase = .upgrading
            self.deadline = nil
            self.queue.removeAll()
        }

        /// Records that the server is shutting down.
        mutating func quiesce() -> Step? {
            self.quiescing = true
            self.isPersistent = false
            // In `draining`, the rest of the body is still read: closing with unread input could reset the connection
            // before the client has read the response.
            return self.phase == .idle && self.queue.isEmpty ? self.finish() : nil
        }

        /// Handles the expiry of `deadline`.
        mutating func deadlinePassed() -> Step? {
            self.deadline = nil
            switch self.phase {
            case .idle: return self.finish()
            case .draining, .lingering: return self.close()
            case .head: return self.refuse(.headTimeout)
            case .body: return self.refuse(.bodyTimeout)
            case .admitting, .answering, .finishing, .upgrading, .closed: return nil
            }
        }

        /// Records that the connection was closed.
        mutating func connectionLost() {
            _ = self.close()
        }

        // MARK: Transitions

        private mutating func begin(_ head: HTTPRequestHead) -> Step {
            let framing = BodyFraming(head.headers)
            self.phase = .admitting
            self.deadline = nil
            self.requestEnded = false
            self.bodyLeft = framing.length
            // With any `Expect` header the client may hold its body back until it gets an interim response.
            self.waitsForContinue = !head.isHTTP10 && head.headers.contains(name: "expect")
            // Other upgrade requests are ignored (RFC 9110 section 7.8).
            self.isPersistent =
                head.isPersistent && !self.quiescing && !head.asksForWebSocket && head.method != .CONNECT
            return .admit(head)
        }

        private mutating func refuse(_ failure: RequestFailure) -> Step {
            self.phase = .answering
            self.deadline = nil
            self.requestEnded = true
            self.isPersistent = false
            return .refuse(failure)
        }

        private mutating func becomeIdle(now: NIODeadline) {
            self.phase = .idle
            self.deadline = now + self.limits.idleTimeout
        }

        private mutating func finish() -> Step {
            self.phase = .finishing
            self.deadline = nil
            return .finish
        }

        private mutating func linger(now: NIODeadline) -> Step {
            self.phase = .lingering(left: self.limits.lingerBytes)
            self.deadline = now + self.limits.lingerTimeout
            return .halfClose
        }

        private mutating func close() -> Step {
            self.phase = .closed
            self.deadline = nil
            self.queue.removeAll()
            return .close
        }

        private mutating func count(_ bytes: ByteBuffer) {
            if let left = self.bodyLeft { self.bodyLeft = max(0, left - bytes.readableBytes) }
        }
    }
}
