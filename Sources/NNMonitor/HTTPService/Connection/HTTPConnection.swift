import NIOCore
import NIOHTTP1

/// A client connection: performs the steps of its state machine. Runs only on the connection's event loop.
///
/// Extensions in other files: `+Input` decodes, `+Answer` writes responses, `+Execution` runs handlers, `+Upgrade`
/// changes the protocol.
///
/// This file is long because it has the channel handler's callbacks and the state that all extensions share.
final class HTTPConnection: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = Never
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// The handlers before this one, which are removed with it at an upgrade.
    struct Codec {
        var input: InputHandler
        var decoder: ByteToMessageHandler<HTTPRequestDecoder>
    }

    let server: HTTPServer
    let peer: String
    /// The local port of the connection.
    let port: Int
    let secure: Bool
    var codec: Codec?

    var machine: StateMachine
    var context: ChannelHandlerContext?
    var exchange: Exchange?
    var admitted: HeadGate.Admitted?
    var input: Input
    var output: Output
    var upgrade = Upgrade()
    var task: Task<Void, Never>?
    var executor: LoopExecutor?
    private var collector: BodyCollector?
    /// The share of this connection's bodies in the budget, and its identity.
    private var bodyShare: (identity: String?, index: Int)?
    private var timer = LazyTimer()
    private let caller = HeadGate.Caller()
    private var exchangeCount: UInt64 = 0
    private var isPumping = false
    private var heldRead = false

    init(server: HTTPServer, peer: String, port: Int, secure: Bool) {
        let configuration = server.configuration
        self.server = server
        self.peer = peer
        self.port = port
        self.secure = secure
        // The event loop's clock is not available yet; `handlerAdded` creates the machine again.
        self.machine = StateMachine(limits: StateMachine.Limits(configuration), now: .uptimeNanoseconds(0))
        self.input = Input(bounds: MessageBounds(configuration))
        self.output = Output(configuration)
    }

    // MARK: Lifecycle

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.executor = LoopExecutor(context.eventLoop)
        self.machine = StateMachine(
            limits: StateMachine.Limits(self.server.configuration), now: context.eventLoop.now)
        self.update()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.abandon()
        self.context = nil
        // Break the retain cycle: `codec` retains the input handler, which retains this handler.
        self.codec = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.abandon()
        context.fireChannelInactive()
    }

    /// Ends all work for a client that has disconnected.
    private func abandon() {
        if let exchange = self.exchange, self.machine.owesAnswer {
            self.server.log.record(
                exchange, peer: self.peer, now: self.context?.eventLoop.now ?? .now(), isComplete: false)
        }
        self.exchange = nil
        self.admitted = nil
        self.collector = nil
        self.leaveBodyShare()
        self.input.held = ByteBuffer()
        self.machine.connectionLost()
        self.timer.cancel()
        self.output.abandon()
        self.task?.cancel()
        self.task = nil
    }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.upgrade.isUnderWay else {
            // Not a request part: bytes of the new protocol that the decoder forwarded while it was removed.
            self.upgrade.leftovers.append(data)
            return
        }
        self.decoded(Self.unwrapInboundIn(data))
        self.pump()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.update()
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as HTTPParserError:
            self.machine.receive(.failure(RequestFailure(error)))
            self.pump()
            self.update()
        case is ByteToMessageDecoderError:
            // Input after a failure that already has its response.
            break
        default:
            // The transport failed, so no response is possible. A later handler logs the error.
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            self.machine.receive(.inputClosed)
            self.pump()
            self.update()
        case is ChannelShouldQuiesceEvent:
            if let step = self.machine.quiesce() { self.perform(step, context: context) }
        default:
            break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.writabilityChanged(context: context)
        self.pump()
        self.update()
        context.fireChannelWritabilityChanged()
    }

    // MARK: Outbound

    func read(context: ChannelHandlerContext) {
        if self.mayRead { context.read() } else { self.heldRead = true }
    }

    /// Whether to read from the socket: not while undecoded bytes are held.
    private var mayRead: Bool { self.machine.mayRead && !self.holdsInput }

    // MARK: Steps

    /// Performs steps and decodes input until there is nothing left to do.
    func pump() {
        guard !self.isPumping, let context = self.context else { return }
        self.isPumping = true
        defer { self.isPumping = false }
        repeat {
            while let step = self.machine.next(now: context.eventLoop.now, writable: context.channel.isWritable) {
                self.perform(step, context: context)
            }
        } while self.decodeNext(context: context)
    }

    /// Updates the timers, the body's budget entry and the pending read. Call it after any change that may affect them.
    func update() {
        guard let context = self.context, !self.machine.isClosed else { return }
        if self.timer.needsArming(self.machine.deadline) {
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            self.timer.arm(self.machine.deadline, on: context.eventLoop) { bound.value.timerFired() }
        }
        self.settleBody(context: context)
        self.watchOutput(context: context)
        if self.heldRead, self.mayRead {
            self.heldRead = false
            context.read()
        }
    }

    func perform(_ step: StateMachine.Step, context: ChannelHandlerContext) {
        switch step {
        case .admit(let head):
            self.admit(head, context: context)
        case .collect(let bytes):
            do throws(BodyFailure) {
                try self.collector?.append(bytes, now: context.eventLoop.now)
            } catch {
                self.refuseBody(error)
            }
        case .execute:
            let collector = self.collector
            self.collector = nil
            do throws(BodyFailure) {
                let body = try collector?.finish()
                self.execute(body: body?.bytes ?? ByteBuffer(), place: body?.place, context: context)
            } catch {
                self.refuseBody(error)
            }
        case .refuse(let failure):
            self.collector = nil
            self.admitted = nil
            if self.exchange == nil {
                self.exchange = Exchange(unreadable: self.nextNumber(), now: context.eventLoop.now)
            }
            self.answer(failure.response)
        case .finish:
            self.finish(context: context)
        case .halfClose:
            self.halfClose(context: context)
        case .close:
            context.close(promise: nil)
        }
    }

    private func admit(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        self.exchange = Exchange(number: self.nextNumber(), head: head, now: now)
        self.caller.isKnown = false
        let admission = self.server.gate.admit(
            head, peer: self.peer, port: self.port, secure: self.secure, caller: self.caller)
        self.exchange?.isKnown = self.caller.isKnown || self.server.gate.authenticator.isOpen
        switch admission {
        case .answer(let response):
            self.machine.refused(distrust: false)
            self.answer(response)
        case .answerAndClose(let response):
            self.machine.refused(distrust: true)
            self.answer(response)
        case .proceed(let admitted):
            self.admitted = admitted
            do throws(BodyFailure) {
                self.collector = try BodyCollector(
                    isKept: admitted.keepsBody, coding: admitted.coding, limit: admitted.bodyLimit,
                    ratio: self.server.configuration.maximumExpansionRatio, budget: self.server.bodies,
                    share: self.shareOfBodies(admitted))
            } catch {
                self.refuseBody(error)
                return
            }
            if self.machine.letIn(now: now, bodyIsHere: self.holdsInput) { self.writeContinue(context: context) }
        }
    }

    private func refuseBody(_ failure: BodyFailure) {
        self.collector = nil
        self.admitted = nil
        self.machine.refused(distrust: failure == .stalled)
        self.answer(failure.response)
    }

    // MARK: The budget of bodies

    /// The budget share for the body of a request. The connection keeps it until a request has another identity.
    private func shareOfBodies(_ admitted: HeadGate.Admitted) -> Int {
        let identity = admitted.request.access?.tokenName
        if let share = self.bodyShare, share.identity == identity { return share.index }
        guard admitted.keepsBody else { return 0 }
        self.leaveBodyShare()
        let index = self.server.bodies.join(identity: identity, address: ClientAddress.key(self.peer))
        self.bodyShare = (identity, index)
        return index
    }

    private func leaveBodyShare() {
        if let share = self.bodyShare { self.server.bodies.leave(share.index) }
        self.bodyShare = nil
    }

    /// Marks the unfinished body as waiting, once all input that has arrived is processed, so that it can be evicted.
    private func settleBody(context: ChannelHandlerContext) {
        guard let collector = self.collector, let number = self.exchange?.number else { return }
        do throws(BodyFailure) {
            try collector.wait(now: context.eventLoop.now) {
                let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
                let loop = context.eventLoop
                return { loop.execute { bound.value.bodyWasEvicted(number) } }
            }
        } catch {
            self.refuseBody(error)
        }
    }

    private func bodyWasEvicted(_ number: UInt64) {
        guard self.collector != nil, self.exchange?.number == number else { return }
        self.refuseBody(.stalled)
    }

    private func timerFired() {
        self.timer.fired()
        guard let context = self.context else { return }
        if let deadline = self.machine.deadline, context.eventLoop.now >= deadline,
            let step = self.machine.deadlinePassed()
        {
            self.perform(step, context: context)
            self.pump()
        }
        self.update()
    }

    private func nextNumber() -> UInt64 {
        self.exchangeCount += 1
        return self.exchangeCount
    }
}

@available(*, unavailable)
extension HTTPConnection: Sendable {}

extension HTTPConnection.StateMachine.Limits {
    init(_ configuration: HTTPConfiguration) {
        self.init(
            headTimeout: configuration.headTimeout, bodyTimeout: configuration.bodyTimeout,
            idleTimeout: configuration.idleTimeout, lingerTimeout: configuration.lingerTimeout,
            lingerBytes: configuration.lingerBytes, drainBytes: configuration.drainBytes)
    }
}
