// This file is long because the handler's callbacks and the answers to actions share its private state.

import DequeModule
import Foundations
import HTTPService
import MonitorCore
package import NIOCore
import NIOWebSocket
package import WebSocket

/// The session of one subscriber. A channel handler behind `WebSocketHandler`.
///
/// The broadcaster puts messages into the subscriber's queue; the session writes them while the channel is writable.
/// While an answer that contains steps (the listing, a history) is made and sent by a task, the queue is not read; the
/// messages that the answer contains are then removed from it. The client's actions are handled one at a time, and the
/// connection is not read while too many wait.
///
/// When the connection's grant ends, the session closes it with 1008: queued messages are dropped, and a history is
/// aborted. Each action also checks the grant.
///
/// After `ChannelShouldQuiesceEvent` the session sends the queued messages and then closes with 1001.
package final class SubscriberSession: ChannelDuplexHandler {
    /// Messages of the client.
    package typealias InboundIn = WebSocketMessage
    /// This is the last handler: it passes nothing on.
    package typealias InboundOut = Never
    /// Messages to the client.
    package typealias OutboundIn = WebSocketOutbound
    /// Messages to the client.
    package typealias OutboundOut = WebSocketOutbound

    /// The largest number of the client's messages that wait; above it the connection is not read.
    private static let waitingMessages = 8
    /// The number of bytes after which writes are flushed. TLS accepts any number of bytes and encrypts them at the
    /// flush; only then does the channel become unwritable, so that the rest stays in the bounded queue.
    private static let bytesBetweenFlushes = 64 << 10

    private let monitor: Monitor
    private let place: Subscribers.Place
    private let deflate: DeflateParameters?
    private let access: AccessGrant?
    private var accessWatch: AccessWatch?
    private var queue: SubscriberQueue<LiveFrame>?
    private var answers: SubscriberAnswers?
    private var context: ChannelHandlerContext?
    private var actions: Deque<ByteBuffer> = []
    /// Whether a task makes or sends an answer. The first one is the listing.
    private var isAnswering = true
    private var isReadHeldBack = false
    private var isEnding = false
    private var frames: SubscriberFrames
    private(set) var answer: Task<Void, Never>?
    private var stall: StallTimer?
    private var writability: WritabilityWaiter?

    /// - Parameters:
    ///   - monitor: the service.
    ///   - place: the subscriber's entry in the registry.
    ///   - deflate: the compression that the handshake negotiated.
    ///   - access: the grant of the request; `nil` if the route requires no scope.
    init(monitor: Monitor, place: Subscribers.Place, deflate: DeflateParameters?, access: AccessGrant?) {
        self.monitor = monitor
        self.place = place
        self.deflate = deflate
        self.access = access
        frames = SubscriberFrames(monitor.broadcast.renderer, WireFrameRenderer.Variant(deflate))
    }

    // MARK: Lifecycle

    /// Subscribes to the broadcast and sends the listing.
    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let skipped = monitor.counters.messagesSkipped
        let queue = SubscriberQueue<LiveFrame>(limits: monitor.configuration.queue, onSkip: skipped.add) {
            eventLoop.execute { bound.value.sendQueued() }
        }
        self.queue = queue
        // Before the listing is read, so that no event is missed in between.
        place.begin(
            queue, variant: WireFrameRenderer.Variant(deflate), connection: ObjectIdentifier(context.channel))
        context.channel.closeFuture.whenComplete { [place] _ in
            queue.close()
            place.end()
        }
        let limits = monitor.configuration
        stall = StallTimer(
            context: context, timeout: limits.stallTimeout,
            rate: RateWatch(rate: limits.minimumReadRate, window: limits.readRateWindow),
            onStall: { [self] in send(.close(.policyViolation, reason: "too slow")) },
            onDrop: { [self] in dropReader() })
        let writability = WritabilityWaiter(context.channel)
        writability.onWrite = { [self] bytes in stall?.wrote(bytes) }
        self.writability = writability
        accessWatch = access.map { AccessWatch($0, on: eventLoop) { [self] in endAccess() } }
        let monitor = monitor
        let deflate = deflate
        let answers = SubscriberAnswers(
            monitor: monitor, deflate: deflate, access: access, peer: context.remoteAddress?.ipAddress ?? "local")
        self.answers = answers
        // Without a preference the task would continue on the thread of the actor that it awaited, perhaps an event
        // loop.
        answer = Task(executorPreference: globalConcurrentExecutor) {
            let listing = await answers.listing(queue)
            eventLoop.execute { bound.value.send(listing) }
        }
    }

    /// Ends the session.
    package func handlerRemoved(context: ChannelHandlerContext) {
        end()
        stall = nil
        queue = nil
        self.context = nil
    }

    /// Ends the session: the connection has closed.
    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        answer?.cancel()
        writability?.end()
        writability?.onWrite = nil
        accessWatch?.stop()
        stall?.end()
        queue?.close()
    }

    // MARK: To the subscriber

    /// Writes queued messages while the channel is writable.
    private func sendQueued() {
        guard !isAnswering, let context, let queue else { return }
        var unflushed = 0
        var messages = 0
        while context.channel.isActive, context.channel.isWritable, let item = queue.take() {
            frames.write(item) { frame in
                context.write(wrapOutboundOut(.prepared(frame.bytes)), promise: nil)
                messages += 1
                unflushed += frame.bytes.readableBytes
            }
            if unflushed >= Self.bytesBetweenFlushes {
                monitor.counters.messagesSent.add(messages)
                context.flush()
                unflushed = 0
                messages = 0
            }
        }
        if unflushed > 0 {
            monitor.counters.messagesSent.add(messages)
            context.flush()
        }
        if isEnding && context.channel.isWritable {
            send(.close(.goingAway, reason: "the server is stopping"))
        }
    }

    /// Begins the end of the session when the server stops.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isEnding = true
            sendQueued()
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Continues writing when the channel is writable again.
    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.writabilityChanged()
        writability?.writabilityChanged()
        sendQueued()
        context.fireChannelWritabilityChanged()
    }

    /// Closes with 1008. Nothing is sent after the close frame; a history fails at its next piece.
    private func endAccess() { close(.policyViolation, "access has ended") }

    /// Sends a close frame after the messages that were written, and drops the queued ones.
    private func close(_ code: WebSocketErrorCode, _ reason: String) {
        actions.removeAll()
        queue?.close()
        send(.close(code, reason: reason))
    }

    /// Sends a message; the reservation is kept until it is sent.
    private func send(_ message: WebSocketOutbound, _ reservation: ResponseReservation? = nil) {
        guard let context else { return }
        if case .close = message {} else { monitor.counters.messagesSent.add() }
        let promise = reservation.map { reservation in
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.whenComplete { _ in withExtendedLifetime(reservation) {} }
            return promise
        }
        context.writeAndFlush(wrapOutboundOut(message), promise: promise)
    }

    private func finishAnswer(_ message: WebSocketOutbound?, _ reservation: ResponseReservation? = nil) {
        stall?.endResponse()
        if let message { send(message, reservation) }
        isAnswering = false
        sendQueued()
        handleActions()
    }

    /// Sends the listing. Without it the client cannot use what follows, so the session ends if there is none.
    private func send(_ listing: SubscriberAnswers.Listing) {
        switch listing {
        case .ready(let frame, let reservation):
            finishAnswer(.prepared(frame), reservation)
        case .failed:
            send(.text(SubscriberMessages.error(StoreFailures.message)))
            closeAfterStoreFailure()
        case .busy(let message):
            send(.text(message))
            // 1013, try again later (IANA's registry of WebSocket close codes).
            close(WebSocketErrorCode(codeNumber: 1013), "too many responses are in progress")
        }
    }

    /// Breaks off the answer under way. Without a close frame: it would wait, with the memory that is needed, behind
    /// bytes that the client does not take.
    private func dropReader() { context?.close(promise: nil) }

    /// Closes with 1011. `isAnswering` stays set, so that nothing more is sent or handled.
    private func closeAfterStoreFailure() { close(.unexpectedServerError, "the store failed") }

    // MARK: From the subscriber

    /// Handles a message of the client.
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .text(let text):
            actions.append(text)
            handleActions()
        case .binary: send(.close(.unacceptableData, reason: "binary messages are not supported"))
        }
    }

    /// Holds the read back while too many actions wait.
    package func read(context: ChannelHandlerContext) {
        if actions.count < Self.waitingMessages { context.read() } else { isReadHeldBack = true }
    }

    private func handleActions() {
        while !isAnswering, let text = actions.popFirst() {
            guard accessWatch?.check() != false else { break }
            // An answer comes after the events of before: the event loop may read the action before it runs the task
            // that sends them.
            sendQueued()
            // The bytes are valid during the closure, and the decoder does not keep the pointer.
            switch unsafe text.withUnsafeReadableBytes({ unsafe SubscriberAction.decode($0) }) {
            case .success(.ping): send(.text(SubscriberMessages.pong))
            case .success(.subscribe(let subscription)): answerHistory(subscription)
            case .success(.watch(let request)): watch(request)
            case .failure(let invalid): send(.text(SubscriberMessages.error(invalid.message)))
            }
        }
        if isReadHeldBack && actions.count < Self.waitingMessages {
            isReadHeldBack = false
            context?.read()
        }
    }

    /// Changes what is sent from now on. The answer is sent between the last message of before and the first of
    /// afterwards.
    private func watch(_ request: WatchRequest) {
        guard let context else { return }
        isAnswering = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let frame = LiveFrame(WebSocketFrameEncoder(deflate: deflate).text(SubscriberMessages.watching(request)))
        let monitor = monitor
        let place = place
        answer = Task(executorPreference: globalConcurrentExecutor) {
            await monitor.broadcast.changeInterest(of: place, answer: frame) {
                $0.watch(request.runIDs.map { Set($0) }, form: request.form)
            }
            eventLoop.execute { bound.value.finishAnswer(nil) }
        }
    }

    /// Sends a run's history piece by piece, from a task, and then the messages queued meanwhile.
    private func answerHistory(_ subscription: RunSubscription) {
        guard let context, let queue, let answers, let writability else { return }
        isAnswering = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let boundWritability = NIOLoopBound(writability, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let channel = context.channel
        let monitor = monitor
        let deflate = deflate
        let place = place
        let structures = frames.structures
        // Low priority: requests of trainers and live messages come first.
        answer = Task(executorPreference: globalConcurrentExecutor, priority: .utility) {
            let prepared: SubscriberAnswers.PreparedHistory
            switch await answers.history(subscription, queue, place, structures) {
            case .refused(let message):
                return eventLoop.execute { bound.value.finishAnswer(.text(message)) }
            case .ready(let history):
                prepared = history
                eventLoop.execute { bound.value.stall?.begin(history.progress) }
            }
            do {
                monitor.counters.messagesSent.add(prepared.structures.count + 1)
                try await HistoryMessage.send(
                    prepared.structures, of: subscription.runID, deflate: deflate, to: channel, boundWritability)
                let history = prepared.encoder
                try await HistoryMessage.send(history, deflate: deflate, to: channel, boundWritability)
                let sent = prepared.structures.map(\.structure)
                eventLoop.execute {
                    for id in sent { _ = bound.value.frames.structures.insert(id) }
                    bound.value.finishAnswer(nil)
                }
            } catch ChannelError.ioOnClosedChannel {
                // The connection is closed, or its close frame waits behind earlier writes and must still be sent.
            } catch let error as StoreError {
                monitor.failures.note(error, during: .history)
                // The message is incomplete, and no other message can follow it.
                eventLoop.execute { bound.value.closeAfterStoreFailure() }
            } catch {
                // As above, and there may be no memory for a close frame.
                channel.close(promise: nil)
            }
        }
    }
}

@available(*, unavailable)
extension SubscriberSession: Sendable {}
