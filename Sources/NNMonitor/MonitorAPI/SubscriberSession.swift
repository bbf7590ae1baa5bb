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
    private var queue: SubscriberQueue<ByteBuffer>?
    private var context: ChannelHandlerContext?
    private var actions: Deque<ByteBuffer> = []
    /// Whether a task makes or sends an answer. The first one is the listing.
    private var isAnswering = true
    private var isReadHeldBack = false
    private var isEnding = false
    private(set) var answer: Task<Void, Never>?
    private var stall: StallWatch?
    private var writability: WritabilityWaiter?

    /// - Parameters:
    ///   - monitor: the service.
    ///   - place: the subscriber's entry in the registry.
    ///   - deflate: the compression that the handshake negotiated.
    ///   - access: the grant of the request; `nil` if the route requires no scope.
    init(
        monitor: Monitor, place: Subscribers.Place, deflate: DeflateParameters?,
        access: AccessGrant?
    ) {
        self.monitor = monitor
        self.place = place
        self.deflate = deflate
        self.access = access
    }

    // MARK: Lifecycle

    /// Subscribes to the broadcast and sends the listing.
    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let queue = SubscriberQueue<ByteBuffer>(limits: monitor.configuration.queue) {
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
        stall = StallWatch(context: context, timeout: monitor.configuration.stallTimeout)
        writability = WritabilityWaiter(context.channel)
        accessWatch = access.map { AccessWatch($0, on: eventLoop) { [self] in endAccess() } }
        let monitor = monitor
        let deflate = deflate
        // Without a preference the task would continue on the thread of the actor that it awaited, perhaps an event
        // loop.
        answer = Task(executorPreference: globalConcurrentExecutor) {
            do throws(StoreError) {
                let (runs, sequence) = try await monitor.store.listing()
                queue.beginAfter(sequence, runID: nil)
                let frame = WebSocketFrameEncoder(deflate: deflate).text(SubscriberMessages.initialRuns(runs))
                eventLoop.execute { bound.value.finishAnswer(.prepared(frame)) }
            } catch {
                monitor.failures.note(error, during: .listing)
                eventLoop.execute { bound.value.failListing() }
            }
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
        accessWatch?.stop()
        stall?.end()
        queue?.close()
    }

    // MARK: To the subscriber

    /// Writes queued messages while the channel is writable.
    private func sendQueued() {
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
        sendQueued()
        handleActions()
    }

    /// Without the listing the client cannot use what follows, so the session ends.
    private func failListing() {
        send(.text(SubscriberMessages.error(StoreFailures.message)))
        closeAfterStoreFailure()
    }

    /// Closes with 1011. `isAnswering` stays set, so that nothing more is sent or handled.
    private func closeAfterStoreFailure() {
        actions.removeAll()
        queue?.close()
        send(.close(.unexpectedServerError, reason: "the store failed"))
    }

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
            // The bytes are valid during the closure, and the decoder does not keep the pointer.
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

    /// Sends a run's history piece by piece, from a task, and then the messages queued meanwhile.
    private func answerHistory(_ runID: RunID, _ form: StepForm) {
        guard let context, let queue, let writability else { return }
        isAnswering = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let boundWritability = NIOLoopBound(writability, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let channel = context.channel
        let monitor = monitor
        let deflate = deflate
        // Low priority: requests of trainers and live messages come first.
        answer = Task(executorPreference: globalConcurrentExecutor, priority: .utility) {
            let history: HistoryEncoder
            do throws(StoreError) {
                guard let snapshot = try await monitor.store.snapshot(of: runID) else {
                    let message = SubscriberMessages.error("Run '\(runID)' not found")
                    eventLoop.execute { bound.value.finishAnswer(.text(message)) }
                    return
                }
                var encoder = HistoryEncoder.message(snapshot, form: form)
                try await encoder.prefetch()
                history = encoder
                queue.beginAfter(snapshot.sequence, runID: runID)
            } catch {
                monitor.failures.note(error, during: .history)
                let message = SubscriberMessages.error(StoreFailures.message)
                eventLoop.execute { bound.value.finishAnswer(.text(message)) }
                return
            }
            do {
                try await HistoryMessage.send(history, deflate: deflate, to: channel, boundWritability)
                eventLoop.execute { bound.value.finishAnswer(nil) }
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
