import DequeModule
import HTTPService
import MonitorCore
package import NIOCore
import NIOWebSocket
package import WebSocket
import Foundations
package import WebSocket

/// Tells a subscriber's session that the server stops.
package struct SubscriberFarewell: Sendable {
    package init() {}
}

/// One subscriber's conversation: lives on its connection's event loop, behind the WebSocket handler.
///
/// What the broadcaster sends waits in the subscriber's queue and is written while the connection can take more. While an
/// answer that contains steps is made and sent, in a task, the queue waits; what the answer contains is then taken out of
/// it. The client's messages are handled one at a time; while some wait, nothing more is read.
///
/// When the access that the connection was granted ends, the session closes it with 1008: what waits is dropped, and an
/// answer under way is broken off. Each action of the client checks the access, too.
///
/// `SubscriberFarewell`, fired through the pipeline, ends it: what waits is sent first, then the close frame.
package final class SubscriberSession: ChannelDuplexHandler {
    package typealias InboundIn = WebSocketMessage
    package typealias InboundOut = Never
    package typealias OutboundIn = WebSocketOutbound
    package typealias OutboundOut = WebSocketOutbound

    /// Messages of the client that may wait before nothing more is read.
    private static let waitingMessages = 8
    /// Bytes written before they are flushed. TLS takes in whatever is written and encrypts at the flush: only then
    /// does the connection tell that it has had its fill, and the rest stays in the queue, which is bounded.
    private static let bytesBetweenFlushes = 64 << 10

    private let monitor: Monitor
    private let deflate: DeflateParameters?
    private let access: AccessGrant?
    private var accessWatch: AccessWatch?
    private var queue: SubscriberQueue<ByteBuffer>?
    private var context: ChannelHandlerContext?
    private var actions: Deque<ByteBuffer> = []
    /// An answer is being made or sent by a task; the first one is the listing.
    private var isAnswering = true
    private var isReadHeldBack = false
    private var isEnding = false
    private(set) var answer: Task<Void, Never>?
    private var stall: StallWatch?
    private var room: WriteRoom?

    /// - Parameters:
    ///   - monitor: the service.
    ///   - deflate: what the handshake negotiated.
    ///   - access: what the request was granted; nil where the route needs no scope.
    init(monitor: Monitor, deflate: DeflateParameters?, access: AccessGrant?) {
        self.monitor = monitor
        self.deflate = deflate
        self.access = access
    }

    // MARK: Life

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let waker = LoopWaker(eventLoop: eventLoop)
        let queue = SubscriberQueue<ByteBuffer>(limits: monitor.configuration.queue, waker: waker) {
            bound.value.sendWaiting()
        }
        self.queue = queue
        stall = StallWatch(context: context, timeout: monitor.configuration.stallTimeout)
        room = WriteRoom(context.channel)
        accessWatch = access.map { AccessWatch($0, on: eventLoop) { [self] in endAccess() } }
        let monitor = monitor
        let deflate = deflate
        let channel = context.channel
        // Without a preference it would go on on whatever thread an actor answers it, such as an event loop's.
        answer = Task(executorPreference: globalConcurrentExecutor) {
            let ticket = await monitor.broadcast.subscribe(queue, variant: WireFrameRenderer.Variant(deflate))
            channel.closeFuture.whenComplete { _ in
                queue.close()
                Task { await monitor.broadcast.unsubscribe(ticket) }
            }
            let (runs, sequence) = await monitor.store.listing()
            queue.beginAfter(sequence, runID: nil)
            let frame = WebSocketFrameEncoder(deflate: deflate).text(SubscriberMessages.initialRuns(runs))
            eventLoop.execute { bound.value.finishAnswer(.prepared(frame)) }
        }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        answer?.cancel()
        room?.end()
        accessWatch?.stop()
        stall?.end()
        stall = nil
        queue?.close()
        queue = nil
        self.context = nil
    }

    package func channelInactive(context: ChannelHandlerContext) {
        answer?.cancel()
        room?.end()
        accessWatch?.stop()
        stall?.end()
        queue?.close()
        context.fireChannelInactive()
    }

    // MARK: To the subscriber

    /// Writes what waits while the connection can take it.
    private func sendWaiting() {
        guard !isAnswering, let context, let queue else { return }
        var unflushed = 0
        while context.channel.isActive, context.channel.isWritable, let item = queue.take() {
            switch item {
            case .step(let frame):
                context.write(wrapOutboundOut(.prepared(frame)), promise: nil)
                unflushed += frame.readableBytes
            case .lagged(let skipped):
                let message = SubscriberMessages.lagged(skipped)
                context.write(wrapOutboundOut(.text(message)), promise: nil)
                unflushed += message.readableBytes
            }
            if unflushed >= Self.bytesBetweenFlushes {
                context.flush()
                unflushed = 0
            }
        }
        if unflushed > 0 { context.flush() }
        if isEnding && context.channel.isWritable {
            send(.close(.goingAway, reason: "the server stops"))
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is SubscriberFarewell {
            isEnding = true
            sendWaiting()
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.writabilityChanged()
        room?.writabilityChanged()
        sendWaiting()
        context.fireChannelWritabilityChanged()
    }

    /// Nothing is sent after the close frame; a history under way fails at its next piece.
    private func endAccess() {
        actions.removeAll()
        queue?.close()
        send(.close(.policyViolation, reason: "access has ended"))
    }

    private func send(_ message: WebSocketOutbound) {
        context?.writeAndFlush(wrapOutboundOut(message), promise: nil)
    }

    private func finishAnswer(_ message: WebSocketOutbound?) {
        if let message { send(message) }
        isAnswering = false
        sendWaiting()
        handleActions()
    }

    // MARK: From the subscriber

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .text(let text):
            actions.append(text)
            handleActions()
        case .binary: send(.close(.unacceptableData, reason: "binary messages are not understood here"))
        }
    }

    package func read(context: ChannelHandlerContext) {
        if actions.count < Self.waitingMessages { context.read() } else { isReadHeldBack = true }
    }

    private func handleActions() {
        while !isAnswering, let text = actions.popFirst() {
            guard accessWatch?.check() != false else { break }
            // The decoder keeps nothing of the pointer.
            switch unsafe text.withUnsafeReadableBytes({ unsafe SubscriberAction.decode($0) }) {
            case .success(.ping): send(.text(SubscriberMessages.pong))
            case .success(.subscribe(let runID, let form)): answerHistory(runID, form)
            case .failure(let misunderstood): send(.text(SubscriberMessages.error(misunderstood.message)))
            }
        }
        if isReadHeldBack && actions.count < Self.waitingMessages {
            isReadHeldBack = false
            context?.read()
        }
    }

    /// Sends a run's history, piece by piece, made in a task; then what came after it.
    private func answerHistory(_ runID: RunID, _ form: StepForm) {
        guard let context, let queue, let room else { return }
        isAnswering = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let boundRoom = NIOLoopBound(room, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let channel = context.channel
        let store = monitor.store
        let deflate = deflate
        // What trainers wait for, and every other subscriber, comes before it.
        answer = Task(executorPreference: globalConcurrentExecutor, priority: .utility) {
            guard let snapshot = await store.snapshot(of: runID) else {
                let message = SubscriberMessages.error("Run '\(runID)' not found")
                eventLoop.execute { bound.value.finishAnswer(.text(message)) }
                return
            }
            queue.beginAfter(snapshot.sequence, runID: runID)
            do {
                try await HistoryMessage.send(snapshot, form: form, deflate: deflate, to: channel, boundRoom)
                eventLoop.execute { bound.value.finishAnswer(nil) }
            } catch ChannelError.ioOnClosedChannel {
                // The connection is gone, or its close frame waits behind what was written, and is not to be lost.
            } catch {
                // The message is broken off in its middle: nothing can follow it.
                channel.close(promise: nil)
            }
        }
    }
}

@available(*, unavailable)
extension SubscriberSession: Sendable {}
