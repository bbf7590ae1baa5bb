import DequeModule
import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// What a connection does next, without doing it: takes the parts that the decoder makes, hands them out one
    /// request at a time, and knows when to read, when the time is up, and how the connection ends. It performs nothing
    /// and reads no clock, so it is tested with neither socket nor time.
    ///
    /// The shape is one turn per request: `idle` -> `head` -> `admitting` (the gate decides) -> `body` -> `answering`,
    /// and from there back to `idle`, over `draining` when the answer came before the end of the body, or to
    /// `lingering` when it was the last. `finishing` is between the two: nothing more is asked, but the client is still
    /// taking what was answered. It is one type, and long for that, because every transition reads the others.
    struct StateMachine {
        /// The parts of the configuration that the machine needs.
        struct Limits {
            var headTimeout: TimeAmount
            var bodyTimeout: TimeAmount
            var idleTimeout: TimeAmount
            var lingerTimeout: TimeAmount
            var lingerBytes: Int
            var drainBytes: Int
        }

        /// What comes in.
        enum Part {
            case head(HTTPRequestHead)
            case body(ByteBuffer)
            case end
            case failure(RequestFailure)
            case inputClosed
        }

        /// What to do next.
        enum Step {
            /// Ask the gate; answer with `letIn` or `refused`.
            case admit(HTTPRequestHead)
            /// A piece of the body of the request that was let in.
            case collect(ByteBuffer)
            /// The request is whole.
            case execute
            /// Answer the failure; it is the connection's last answer.
            case refuse(RequestFailure)
            /// Nothing more is asked: when what was answered is out, say so by `answerEnded`; if it is already, close.
            case finish
            /// The last answer is out: close the output and throw away what still comes in.
            case halfClose
            /// Close at once.
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
        /// Set by the decoder's first failure; nothing after it means anything.
        private var inputIsBroken = false
        private var quiescing = false
        private var answered = 0

        // The request under way.
        private var requestEnded = false
        private var waitsForContinue = false
        /// Bytes of its body that are still to come; nil when chunked.
        private var bodyLeft: Int? = 0
        private(set) var isPersistent = false

        /// When `deadlinePassed` is to be called; nil for never.
        private(set) var deadline: NIODeadline?

        init(limits: Limits, now: NIODeadline) {
            self.limits = limits
            self.deadline = now + limits.headTimeout
        }

        // MARK: What comes in

        /// The connection turns to bytes from the client, before the decoder sees them.
        mutating func bytesArrived(_ count: Int, now: NIODeadline) -> Step? {
            switch self.phase {
            case .idle:
                self.phase = .head
                // The first head's time runs from the start of the connection.
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

        /// What has come is no request, or too long; what the decoder has made of its last piece doesn't count.
        mutating func fail(_ failure: RequestFailure) {
            guard !self.inputIsBroken else { return }
            self.queue.removeAll()
            self.receive(.failure(failure))
        }

        /// Whether more of what the client has sent should be decoded now. A request is when the one before it has been
        /// answered, and while the client takes its answers.
        func wantsInput(writable: Bool) -> Bool {
            switch self.phase {
            case .idle: writable && !self.inputIsBroken && self.queue.isEmpty
            case .head, .body, .draining: !self.inputIsBroken && self.queue.isEmpty
            case .answering: !self.requestEnded && !self.inputIsBroken && self.queue.isEmpty
            case .lingering: true
            case .admitting, .finishing, .upgrading, .closed: false
            }
        }

        /// Whether what the client sends is thrown away.
        var discardsInput: Bool {
            switch self.phase {
            case .lingering, .closed: true
            default: false
            }
        }

        /// Whether more should be read from the client now.
        var mayRead: Bool {
            switch self.phase {
            case .lingering, .closed: true
            case .upgrading: false
            default: self.queue.isEmpty
            }
        }

        // MARK: What to do next

        /// The next step, or nil when there is nothing to do until something happens. `writable` says whether the
        /// client takes its answers; while it doesn't, no new request is begun.
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

        // MARK: What was decided and done

        /// The gate lets the body in. Returns whether the client waits for `100 Continue`, which is not sent when some of
        /// the body is here already.
        mutating func letIn(now: NIODeadline, bodyIsHere: Bool) -> Bool {
            self.phase = .body
            self.deadline = now + self.limits.bodyTimeout
            defer { self.waitsForContinue = false }
            return self.waitsForContinue && !bodyIsHere && self.queue.isEmpty && self.bodyLeft != 0
        }

        /// The request is answered before its end: by the gate, or because its body can't be taken. `distrust` says
        /// that the framing is doubtful, so that nothing after this request can be believed.
        mutating func refused(distrust: Bool) {
            self.phase = .answering
            self.deadline = nil
            if distrust { self.isPersistent = false }
        }

        var isClosed: Bool { self.phase == .closed }

        /// Whether an answer is owed: the request under way has not been abandoned.
        var owesAnswer: Bool { self.phase == .answering }

        /// The head of the answer is about to be written. Returns whether the connection stays open after it, which
        /// it can't when `closing`: when the answer's end can only be told by closing.
        mutating func answerBegins(closing: Bool) -> Bool {
            if closing || self.quiescing { self.isPersistent = false }
            if !self.requestEnded, self.isPersistent {
                let endIsHere = self.queue.contains { part in
                    if case .end = part { true } else { false }
                }
                let restIsSmall = self.bodyLeft.map { $0 <= self.limits.drainBytes } ?? false
                // A client that was told no while it waited for 100 may or may not send its body: only closing makes
                // clear which bytes are the next request.
                self.isPersistent = endIsHere || (restIsSmall && !(self.waitsForContinue && self.bodyLeft != 0))
            }
            return self.isPersistent
        }

        /// The answer has been written to its end; for the last answer of a connection, also sent.
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

        /// The connection is about to speak another protocol.
        mutating func upgrade() {
            self.phase = .upgrading
            self.deadline = nil
            self.queue.removeAll()
        }

        /// The server wants to stop.
        mutating func quiesce() -> Step? {
            self.quiescing = true
            self.isPersistent = false
            // A body that is thrown away is read to its end, or its client might lose the answer.
            return self.phase == .idle && self.queue.isEmpty ? self.finish() : nil
        }

        /// The deadline has passed.
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

        /// The connection is gone.
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
            // Whatever it expects: until it is told, its body may or may not come.
            self.waitsForContinue = !head.isHTTP10 && head.headers.contains(name: "expect")
            // Any other upgrade that is asked for is ignored (RFC 9110 §7.8).
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
