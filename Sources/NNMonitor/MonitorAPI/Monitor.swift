package import HTTPService
package import Logging
package import MonitorCore
package import NIOCore
import NIOHTTP1
import Synchronization
package import WebSocket

/// How the service behaves towards its subscribers.
package struct MonitorConfiguration: Sendable {
    /// What is kept.
    package var store = StoreLimits()
    /// What may wait for one subscriber.
    package var queue = QueueLimits()
    /// Subscribers at once; one more is refused with 503.
    package var maximumSubscribers = 10_000
    /// How long a subscriber may take nothing of what waits for it before it is closed with 1008.
    package var stallTimeout = TimeAmount.seconds(30)
    /// The WebSocket connection itself.
    package var webSocket = WebSocketConfiguration()

    package init() {}
}

/// The service: the store and the broadcaster joined, and the routes that lead to them.
package final class Monitor: Sendable {
    let configuration: MonitorConfiguration
    let store: MetricsStore
    let broadcast: BroadcastManager<WireFrameRenderer>
    private let losses: LossLog
    private let subscribers = Atomic<Int>(0)
    let sha1Base64: WebSocketHandshake.SHA1Base64
    private let onSubscriber: @Sendable (any Channel) -> Void

    /// - Parameters:
    ///   - configuration: limits and times.
    ///   - sha1Base64: computes `Sec-WebSocket-Accept` for the opening handshake.
    ///   - logger: gets a line for each eviction and for steps that are not kept.
    ///   - onSubscriber: called on the event loop of each connection that becomes a subscriber's.
    package init(
        configuration: MonitorConfiguration, sha1Base64: @escaping WebSocketHandshake.SHA1Base64,
        logger: Logger = Logger(label: "nnmonitor", factory: { _ in SwiftLogNoOpLogHandler() }),
        onSubscriber: @escaping @Sendable (any Channel) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.sha1Base64 = sha1Base64
        self.onSubscriber = onSubscriber
        losses = LossLog(logger: logger, limits: configuration.store)
        store = MetricsStore(limits: configuration.store)
        broadcast = BroadcastManager(renderer: WireFrameRenderer())
    }

    /// Everything that the service answers, for the HTTP server.
    package var routes: [Route] {
        [IngestRoute(self).route] + RunRoutes(self).routes + [healthRoute, SubscriberRoute(self).route]
    }

    /// WebSocket subscribers connected now.
    package var subscriberCount: Int { subscribers.load(ordering: .relaxed) }

    /// Whether one more is taken. Handshakes that overlap may go over the limit by as many as there are event loops.
    var hasRoomForSubscriber: Bool { subscriberCount < configuration.maximumSubscribers }

    /// Counts a subscriber in, and out when its connection closes.
    func addSubscriber(_ channel: any Channel) {
        subscribers.add(1, ordering: .relaxed)
        channel.closeFuture.whenComplete { [self] _ in subscribers.subtract(1, ordering: .relaxed) }
        onSubscriber(channel)
    }

    /// Stores a step and hands it to every subscriber, in this order and whatever happens in between: each number that
    /// the store gives out reaches the broadcaster.
    func accept(_ step: DecodedStep) async {
        let outcome = await store.append(step)
        if outcome.lostAnything { losses.note(outcome) }
        for run in outcome.evicted { await publish(.removed(run)) }
        await publish(.stored(outcome.step))
    }

    /// Forgets a run and tells every subscriber.
    ///
    /// - Returns: whether the run was held.
    func delete(_ runID: RunID) async -> Bool {
        guard let removed = await store.remove(runID) else { return false }
        await publish(.removed(removed))
        return true
    }

    private func publish(_ event: StoreEvent) async {
        if broadcast.pass(event) { return }
        // Encoding and compressing for whoever watches takes longer than an event loop, on which this may run, should.
        await withTaskExecutorPreference(globalConcurrentExecutor) { await broadcast.publish(event) }
    }

    private var healthRoute: Route {
        .on(.GET, "/health", scope: nil) { [self] _ in
            // The dashboard shows the limits when the store evicts a run or does not keep a step.
            .json(
                "{\"status\":\"healthy\",\"active_connections\":\(subscriberCount),"
                    + "\"max_runs\":\(configuration.store.runs),"
                    + "\"max_steps_per_run\":\(configuration.store.stepsPerRun)}")
        }
    }
}
