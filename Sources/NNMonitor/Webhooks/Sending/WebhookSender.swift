import Foundations
import Logging
import MonitorCore
import NIOCore

/// Sends the events for one receiver, in their order and one at a time.
///
/// Each event is delivered at least once, or counted as lost. The body of a message and its id stay the same when it is
/// sent again, so a receiver can recognise a message whose response was lost.
final class WebhookSender: Sendable {
    private struct State {
        var queue: DeliveryQueue
        /// Whether a message is being sent.
        var isSending = false
        var isStopping = false
        /// Whether nothing is sent any more.
        var isClosed = false
        var counts = DeliveryCounts()
        /// Completed when an event is queued, or the server stops.
        var wake: EventLoopPromise<Void>?
        /// Completed when the wait before an attempt ends early.
        var pause: EventLoopPromise<Void>?
        /// Whether the server began to stop during an attempt, so that the next wait is left out.
        var skipsPause = false
    }

    private enum Next {
        case delivery(DeliveryQueue.Delivery)
        case wait(EventLoopFuture<Void>)
        case end
    }

    private let name: String
    private let webhook: Webhook
    private let encoder: MessageEncoder
    private let client: @Sendable (WebhookClient.Request) async -> DeliveryOutcome
    private let backoff: Backoff
    private let retries: Int
    private let eventLoop: any EventLoop
    private let log: @Sendable (WebhookLogLine) -> Void
    private let state: Locked<State>

    /// - Parameters:
    ///   - number: the position of the webhook in the setting, from 1.
    ///   - webhook: the receiver.
    ///   - configuration: limits and times.
    ///   - eventLoop: runs the timers.
    ///   - log: gets a line for each lost message, and for each attempt that failed.
    ///   - client: sends one message.
    init(
        number: Int, webhook: Webhook, configuration: WebhooksConfiguration, eventLoop: any EventLoop,
        log: @escaping @Sendable (WebhookLogLine) -> Void,
        client: @escaping @Sendable (WebhookClient.Request) async -> DeliveryOutcome
    ) {
        name = "\(number) (\(webhook.name))"
        self.webhook = webhook
        encoder = MessageEncoder(webhook, link: configuration.link)
        backoff = Backoff(base: configuration.retryBase, maximum: configuration.retryMaximum)
        retries = configuration.retries
        self.eventLoop = eventLoop
        self.log = log
        self.client = client
        state = Locked(State(queue: DeliveryQueue(limit: configuration.queueLimit)))
    }

    /// What became of the messages so far.
    var counts: DeliveryCounts {
        state.withLock { state in
            var counts = state.counts
            counts.waiting = state.queue.count + (state.isSending ? 1 : 0)
            return counts
        }
    }

    /// Queues an event. It does not wait.
    func enqueue(_ notice: EpisodeNotice) {
        let delivery = DeliveryQueue.Delivery(notice)
        let (wake, lost) = state.withLock { state -> (EventLoopPromise<Void>?, DeliveryQueue.Delivery?) in
            guard !state.isClosed else {
                state.counts.stopped += 1
                return (nil, nil)
            }
            let lost = state.queue.append(delivery)
            if lost != nil { state.counts.queueFull += 1 }
            defer { state.wake = nil }
            return (state.wake, lost)
        }
        wake?.succeed()
        if let lost {
            note(
                "queue full", .error,
                "an alert was lost: the queue of its receiver is full; check the receiver, or raise ALERT_QUEUE", lost)
        }
    }

    /// Sends events until `stop`, then those that are queued; until the task is cancelled at the latest.
    func run() async {
        while let delivery = await next() {
            await deliver(delivery)
            state.withLock { $0.isSending = false }
        }
        let lost = state.withLock { state in
            state.isClosed = true
            let lost = state.queue.removeAll()
            state.counts.stopped += lost
            return state.counts.stopped
        }
        if lost > 0 {
            log(
                WebhookLogLine(
                    cause: "webhook \(name) stopped", level: .error,
                    message: "alerts were lost: the server stopped before they were delivered",
                    metadata: ["webhook": "\(name)", "alerts": "\(lost)"]))
        }
    }

    /// Ends `run` once the queue is empty. A wait before an attempt ends now.
    func stop() {
        let promises = state.withLock { state in
            state.isStopping = true
            state.skipsPause = state.isSending && state.pause == nil
            defer { (state.wake, state.pause) = (nil, nil) }
            return [state.wake, state.pause]
        }
        for promise in promises { promise?.succeed() }
    }

    private func next() async -> DeliveryQueue.Delivery? {
        while !Task.isCancelled {
            let next = state.withLock { state -> Next in
                if let delivery = state.queue.popFirst() {
                    state.isSending = true
                    return .delivery(delivery)
                }
                if state.isStopping { return .end }
                let promise = eventLoop.makePromise(of: Void.self)
                state.wake = promise
                return .wait(promise.futureResult)
            }
            switch next {
            case .delivery(let delivery): return delivery
            case .end: return nil
            case .wait(let future):
                // Cancelling completes the promise like an event, so that none is left over.
                await withTaskCancellationHandler {
                    try? await future.get()
                } onCancel: {
                    completeWake()
                }
            }
        }
        return nil
    }

    private func completeWake() {
        let wake = state.withLock { state in
            defer { state.wake = nil }
            return state.wake
        }
        wake?.succeed()
    }

    private func deliver(_ delivery: DeliveryQueue.Delivery) async {
        let request = WebhookClient.Request(
            address: webhook.address, delivery: delivery.id,
            body: encoder.body(delivery.notice, delivery: delivery.id, at: .now()))
        var attempt = 1
        while true {
            let outcome = await client(request)
            switch outcome {
            case .delivered:
                state.withLock { $0.counts.delivered += 1 }
                return
            case .refused(let reason):
                state.withLock { $0.counts.refused += 1 }
                note("refused", .error, "an alert was lost, refused by its receiver: \(reason)", delivery)
                return
            case .failed(let reason, let retryAfter):
                if Task.isCancelled { return loseAtStop() }
                guard attempt <= retries else {
                    state.withLock { $0.counts.failed += 1 }
                    note("failed", .error, "an alert was lost, no attempt succeeded: its receiver \(reason)", delivery)
                    return
                }
                note(
                    "retried", .warning, "an alert is not delivered yet and is sent again: its receiver \(reason)",
                    delivery, attempt)
                await pause(backoff.delay(after: attempt, retryAfter: retryAfter))
                if Task.isCancelled { return loseAtStop() }
                attempt += 1
                state.withLock { $0.counts.retries += 1 }
            }
        }
    }

    private func loseAtStop() {
        state.withLock { $0.counts.stopped += 1 }
    }

    /// Waits, until the server stops or the task is cancelled. While the server stops, further waits take their time.
    private func pause(_ time: TimeAmount) async {
        let promise = state.withLock { state -> EventLoopPromise<Void>? in
            defer { state.skipsPause = false }
            if state.skipsPause { return nil }
            let promise = eventLoop.makePromise(of: Void.self)
            state.pause = promise
            return promise
        }
        guard let promise else { return }
        let timer = eventLoop.scheduleTask(in: time) { promise.succeed() }
        await withTaskCancellationHandler {
            try? await promise.futureResult.get()
        } onCancel: {
            promise.succeed()
        }
        timer.cancel()
        state.withLock { $0.pause = nil }
    }

    private func note(
        _ kind: String, _ level: Logger.Level, _ message: Logger.Message, _ delivery: DeliveryQueue.Delivery,
        _ attempt: Int? = nil
    ) {
        var metadata: Logger.Metadata = [
            "webhook": "\(name)", "delivery": "\(delivery.id)", "run_id": "\(delivery.notice.runID)",
        ]
        if let attempt { metadata["attempt"] = "\(attempt)" }
        log(WebhookLogLine(cause: "webhook \(name) \(kind)", level: level, message: message, metadata: metadata))
    }
}
