// This file is long because the handler's callbacks and the machine's steps share its private state.

import NIOCore
import NIOHTTP1
import Turns

/// A client connection, between the socket (or TLS) and the routes. Runs only on the connection's event loop.
///
/// Bytes go to `RequestDecoder`; `advance()` takes its events as the state machine wants them and performs the
/// machine's steps: the gate decides on the head, the body is received, the route's handler runs in a task, and
/// `answer` writes its response. Every event of the channel, of a timer or of the task changes the state and then calls
/// `advance()`.
final class HTTPConnection: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The end of the client's input.
    private enum InputEnd { case open, pending, reported }

    private let server: HTTPServer
    private let peer: String
    /// The local port of the connection.
    private let port: Int
    private let secure: Bool

    private var context: ChannelHandlerContext?
    private var machine: StateMachine
    private var decoder: RequestDecoder
    private var body: BodyIntake
    private var sender: ResponseSender?
    private var task: RequestTask?
    private var upgrade: UpgradeHandOff?
    private var deadline = LazyTimer()
    private let caller = HeadGate.Caller()

    private var exchange: Exchange?
    private var admitted: HeadGate.Admitted?
    /// The producer of the streamed body that is being sent.
    private var onConnectionEvent: (@Sendable (ConnectionEvent) -> Void)?
    private var exchangeCount: UInt64 = 0

    private var inputEnd = InputEnd.open
    private var isAdvancing = false
    /// Whether the events of one read of the socket arrive.
    private var isReading = false
    private var turn = TurnBudget()
    /// Whether a pipelined request waits for the connection's next turn.
    private var waitsForTurn = false
    private var isReadPending = false

    init(server: HTTPServer, peer: String, port: Int, secure: Bool) {
        let configuration = server.configuration
        self.server = server
        self.peer = peer
        self.port = port
        self.secure = secure
        // The event loop's clock is not available yet; `handlerAdded` creates the machine again.
        machine = StateMachine(limits: StateMachine.Limits(configuration), now: .uptimeNanoseconds(0))
        decoder = RequestDecoder(
            limits: RequestDecoder.Limits(
                headSize: configuration.maximumHeaderBytes, fieldCount: configuration.maximumHeaderCount,
                targetSize: configuration.maximumTargetSize))
        body = BodyIntake(server: server, peer: peer)
    }

    // MARK: Lifecycle

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        machine = StateMachine(limits: StateMachine.Limits(server.configuration), now: context.eventLoop.now)
        let configuration = server.configuration
        let writer = ResponseWriter(
            context: context, owner: self, stallTimeout: configuration.writeTimeout,
            rate: RateWatch(rate: configuration.minimumReadRate, window: configuration.readRateWindow))
        sender = ResponseSender(server: server, secure: secure, context: context, writer: writer)
        task = RequestTask(on: context.eventLoop)
        advance()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        abandon()
        self.context = nil
        sender = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        abandon()
        context.fireChannelInactive()
    }

    /// Ends all work for a client that has disconnected.
    private func abandon() {
        if machine.owesAnswer { logExchange(isComplete: false) }
        exchange = nil
        admitted = nil
        onConnectionEvent = nil
        body.end()
        _ = decoder.takeInput()
        machine.connectionLost()
        deadline.cancel()
        sender?.abandon()
        task?.cancel()
    }

    // MARK: Channel events

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        if !isReading {
            isReading = true
            if !waitsForTurn { turn = TurnBudget() }
        }
        if upgrade != nil {
            upgrade?.hold(bytes)
        } else if machine.discardsInput {
            if let step = machine.inputDiscarded(bytes.readableBytes) { perform(step, context) }
        } else {
            decoder.append(bytes)
            // More bytes may follow before `channelReadComplete`.
            advance(settling: false)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        settle(context)
        context.fireChannelReadComplete()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            if inputEnd == .open { inputEnd = .pending }
            onConnectionEvent?(.inputClosed)
            advance()
        case is ChannelShouldQuiesceEvent:
            if let step = machine.quiesce() { perform(step, context) }
            onConnectionEvent?(.stopping)
            advance()
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        sender?.writer.writabilityChanged()
        advance()
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The transport failed, so no response is possible. A later handler logs the error.
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { isReadPending = true }
    }

    /// Whether to read from the socket: not while a pipelined request waits.
    private var mayRead: Bool { machine.mayRead && !decoder.hasUnscannedInput }

    // MARK: Steps

    /// Decodes the events that the state machine wants, and performs its steps, until there is nothing left to do.
    ///
    /// A step can lead back here, because writing can complete promises and change the writability. Only the outermost
    /// call does the work.
    private func advance(settling: Bool = true) {
        guard !isAdvancing, let context else { return }
        isAdvancing = true
        while !waitsForTurn, machine.wantsInput(writable: context.channel.isWritable), let input = nextInput(context) {
            if let step = machine.receive(input, now: context.eventLoop.now) { perform(step, context) }
            endTurnIfSpent(context)
        }
        isAdvancing = false
        if settling { settle(context) }
    }

    /// The next event of the input; nil until more input arrives.
    private func nextInput(_ context: ChannelHandlerContext) -> StateMachine.Input? {
        do throws(RequestFailure) {
            if decoder.hasUnscannedInput { machine.inputArrived(now: context.eventLoop.now) }
            switch try decoder.next() {
            case .head(let head): return .head(head)
            case .body(let bytes): return .body(bytes)
            case .end: return .end
            case nil: break
            }
        } catch {
            return .failure(error)
        }
        guard inputEnd == .pending else { return nil }
        inputEnd = .reported
        return .inputClosed
    }

    /// Brings the timer, the body's budget entry and the pending read up to date.
    private func settle(_ context: ChannelHandlerContext) {
        guard !machine.isClosed else { return }
        if deadline.needsArming(machine.deadline) {
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            deadline.arm(machine.deadline, on: context.eventLoop) { bound.value.deadlineFired() }
        }
        markBodyAsWaiting(context)
        if isReadPending, mayRead {
            isReadPending = false
            context.read()
        }
    }

    private func deadlineFired() {
        deadline.fired()
        guard let context else { return }
        if let time = machine.deadline, context.eventLoop.now >= time, let step = machine.deadlinePassed() {
            perform(step, context)
        }
        advance()
    }

    private func perform(_ step: StateMachine.Step, _ context: ChannelHandlerContext) {
        switch step {
        case .admit(let head): admit(head, context)
        case .collect(let bytes):
            do throws(BodyFailure) {
                turn.spend(bytes: try body.append(bytes, now: context.eventLoop.now))
            } catch {
                refuseBody(error)
            }
        case .execute: execute(context)
        case .refuse(let failure):
            body.drop()
            admitted = nil
            if exchange == nil {
                exchange = Exchange(unreadable: nextNumber(), line: decoder.requestLine, now: context.eventLoop.now)
            }
            refuse(failure.response)
        case .finish: finish(context)
        case .halfClose: halfClose(context)
        case .close: context.close(promise: nil)
        }
    }

    private func admit(_ head: RequestHead, _ context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        exchange = Exchange(number: nextNumber(), head: head, now: now)
        caller.isKnown = false
        let admission = server.gate.admit(head, peer: peer, port: port, secure: secure, caller: caller)
        exchange?.isKnown = caller.isKnown || server.gate.authenticator.isOpen
        switch admission {
        case .answer(let response):
            machine.refused(closing: false)
            refuse(response)
        case .answerAndClose(let response):
            machine.refused(closing: true)
            refuse(response)
        case .proceed(let admitted):
            self.admitted = admitted
            do throws(BodyFailure) {
                try body.begin(admitted, framing: head.framing)
            } catch {
                return refuseBody(error)
            }
            if machine.accepted(now: now, bodyIsHere: decoder.hasUnscannedInput) { sender?.sendContinue() }
        }
    }

    private func nextNumber() -> UInt64 {
        exchangeCount += 1
        return exchangeCount
    }

    // MARK: Body

    private func refuseBody(_ failure: BodyFailure) {
        body.drop()
        admitted = nil
        // How much of the body was decompressed before it failed is not known.
        turn.end()
        machine.refused(closing: failure == .stalled)
        refuse(failure.response)
    }

    /// Marks the unfinished body as waiting, once all input that has arrived is processed, so that it can be evicted.
    private func markBodyAsWaiting(_ context: ChannelHandlerContext) {
        guard body.isReceiving, let number = exchange?.number else { return }
        do throws(BodyFailure) {
            try body.waitForInput(now: context.eventLoop.now) {
                let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
                let loop = context.eventLoop
                return { loop.execute { bound.value.bodyWasEvicted(number) } }
            }
        } catch {
            refuseBody(error)
            advance()
        }
    }

    private func bodyWasEvicted(_ number: UInt64) {
        guard body.isReceiving, exchange?.number == number else { return }
        refuseBody(.stalled)
        advance()
    }

    // MARK: Route

    /// Runs the route of a complete request.
    private func execute(_ context: ChannelHandlerContext) {
        let bytes: ByteBuffer
        let place: UInt64?
        do throws(BodyFailure) {
            (bytes, place) = try body.finish()
        } catch {
            return refuseBody(error)
        }
        guard var admitted, let exchange else {
            if let place { server.bodies.end(place) }
            return
        }
        self.admitted = nil
        // The grant may have ended while the body was arriving.
        if let refusal = admitted.request.access?.refusal {
            if let place { server.bodies.end(place) }
            return refuse(refusal)
        }
        admitted.request.body = bytes
        admitted.request.connection = RequestConnection(
            id: ObjectIdentifier(context.channel), eventLoop: context.eventLoop)
        switch admitted.route.action {
        case .upgrade(let upgrader):
            if let place { server.bodies.end(place) }
            decideUpgrade(admitted.request, by: upgrader, context)
        case .handle(_, let handler):
            let execution = HandlerExecution(
                handler: handler, request: admitted.request, place: place, acceptsGzip: exchange.acceptsGzip,
                server: server)
            let link = ConnectionLink(
                connection: NIOLoopBound(self, eventLoop: context.eventLoop), loop: context.eventLoop,
                number: exchange.number)
            task?.start(execution, answering: link, isHead: exchange.isHead)
        }
    }

    private func decideUpgrade(_ request: HTTPRequest, by upgrader: Route.Upgrader, _ context: ChannelHandlerContext) {
        guard let exchange else { return }
        switch UpgradeHandOff.decide(request, exchange, by: upgrader, log: server.log) {
        case .reject(let response):
            answer(response)
        case .accept(let headers, let install):
            machine.upgrade()
            upgrade = UpgradeHandOff(rest: decoder.takeInput())
            sender?.sendSwitchingProtocols(headers: headers, to: exchange)
            self.exchange?.status = .switchingProtocols
            endExchange()
            sender?.abandon()
            // The new protocol has no half-closed state: the end of the input closes the connection.
            try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            install(context.channel).whenComplete { bound.value.installed($0) }
        }
    }

    /// Completes an upgrade: forwards the bytes that have arrived and leaves the pipeline.
    private func installed(_ result: Result<Void, any Error>) {
        guard let context else { return }
        guard case .success = result, context.channel.isActive else { return context.close(promise: nil) }
        let held = upgrade?.take() ?? []
        for bytes in held { context.fireChannelRead(Self.wrapInboundOut(bytes)) }
        if !held.isEmpty { context.fireChannelReadComplete() }
        // The input ended while half-closure was enabled, after pipelined requests.
        if inputEnd != .open { return context.close(promise: nil) }
        let channel = context.channel
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        // Issue the read that was held back during the change of the pipeline.
        channel.read()
    }

    // MARK: Responses

    /// Sends the response of a request's task, unless the request was abandoned.
    func answer(_ response: HTTPResponse, of number: UInt64) {
        guard exchange?.number == number else { return }
        answer(response)
        advance()
    }

    /// Sends the response of a request whose handler does not run.
    private func refuse(_ response: HTTPResponse) {
        caller.observer?.refused(response.status)
        answer(response)
    }

    /// Writes the head of a response and, unless it is streamed, the body.
    private func answer(_ response: HTTPResponse) {
        guard let sender, machine.owesAnswer, let exchange else { return }
        if let name = response.headers.nameOfUnwritable {
            server.log.unwritable(name, in: exchange)
            return answer(.internalError)
        }
        let framing = ResponseFraming(response, to: exchange)
        let isPersistent = machine.answerBegins(closing: framing.endsWithConnection)
        self.exchange?.status = response.status
        if framing.isStream { observe(response) }
        if sender.begin(response, framing: framing, to: exchange, isPersistent: isPersistent) { endAnswer() }
    }

    /// Ends the response. The last one of a connection ends when the client has accepted it.
    private func endAnswer() {
        guard let context, let sender else { return }
        turn.spendRequest()
        turn.spend(bytes: sender.writer.bodyBytes)
        endExchange()
        sender.end(isLast: !machine.isPersistent)
        guard machine.isPersistent else { return }
        if let step = machine.answerEnded(now: context.eventLoop.now) { perform(step, context) }
        endTurnIfSpent(context)
    }

    /// Leaves pipelined requests to the connection's next turn when this one is spent.
    private func endTurnIfSpent(_ context: ChannelHandlerContext) {
        guard turn.isSpent, !waitsForTurn, machine.isIdle, decoder.hasUnscannedInput else { return }
        waitsForTurn = true
        let queue = server.turns.queue(of: context.eventLoop)
        queue.append { [self] in
            waitsForTurn = false
            turn = TurnBudget(roundSize: queue.roundSize)
            advance()
        }
    }

    private func endExchange() {
        logExchange(isComplete: true)
        exchange = nil
        onConnectionEvent = nil
        caller.observer = nil
        admitted = nil
        task?.end()
    }

    private func logExchange(isComplete: Bool) {
        guard let exchange else { return }
        server.log.record(
            exchange, bytesOut: sender?.writer.bodyBytes ?? 0, peer: peer, now: context?.eventLoop.now ?? .now(),
            isComplete: isComplete)
    }

    /// Closes an idle connection when the client has accepted every response.
    private func finish(_ context: ChannelHandlerContext) {
        guard let writer = sender?.writer, writer.unsentBytes > 0 else {
            machine.connectionLost()
            return context.close(promise: nil)
        }
        writer.notifyWhenSent()
    }

    /// Closes the sending side, so that the client sees the end of the response. Reading continues, because unread
    /// input would cause a reset.
    private func halfClose(_ context: ChannelHandlerContext) {
        _ = decoder.takeInput()
        let closed = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        closed.futureResult.whenFailure { _ in bound.value.context?.close(promise: nil) }
        context.close(mode: .output, promise: closed)
    }

    // MARK: Streams

    /// Reports events to the producer of a streamed body, also those that have happened already.
    private func observe(_ response: HTTPResponse) {
        onConnectionEvent = response.onConnectionEvent
        if let timeout = response.stallTimeout { context?.channel.setAcknowledgementTimeout(timeout) }
        if inputEnd != .open { onConnectionEvent?(.inputClosed) }
        if machine.isQuiescing { onConnectionEvent?(.stopping) }
    }

    /// Replaces the memory of a streamed response.
    func reserve(_ reservation: ResponseReservation?, of number: UInt64) {
        guard sender?.isStreaming == true, exchange?.number == number else { return }
        sender?.writer.reserve(reservation)
    }

    /// Writes the next piece of a streamed body. `promise` succeeds when the channel is writable.
    func writeStream(_ buffer: ByteBuffer, of number: UInt64, promise: EventLoopPromise<Void>) {
        guard let sender, exchange?.number == number else { return promise.fail(HTTPServiceError.connectionClosed) }
        sender.writeStream(buffer, promise: promise)
    }

    func endStream(of number: UInt64) {
        guard sender?.isStreaming == true, exchange?.number == number else { return }
        endAnswer()
        advance()
    }

    /// Closes the connection if a handler failed after the head was sent, so that the client detects the truncated
    /// body.
    func abortStream(of number: UInt64) {
        guard sender?.isStreaming == true, exchange?.number == number else { return }
        context?.close(promise: nil)
    }
}

extension HTTPConnection: ResponseWriter.Owner {
    func bodyWritten() {
        endAnswer()
        advance()
    }

    func allSent() {
        guard let context else { return }
        if let step = machine.answerEnded(now: context.eventLoop.now) { perform(step, context) }
        advance()
    }

    func clientStalled() { context?.close(promise: nil) }
}

@available(*, unavailable)
extension HTTPConnection: Sendable {}
