package import HTTPService
package import Logging
package import MonitorCore
package import NIOCore
import NIOHTTP1
package import Turns
package import WebSocket

/// The limits and times of the service.
package struct MonitorConfiguration: Sendable {
    /// The limits of the store.
    package var store = StoreLimits()
    /// The limit of stored metrics, answers and snapshots together, as log lines name it; 0 means no limit.
    package var memory = 0
    /// The limits of a step of the open wire.
    package var steps = OpenStepLimits()
    /// The largest size of a line of a batch, in bytes.
    package var maximumLineSize = 2_000_000
    /// The limits of each subscriber's queue.
    package var queue = QueueLimits()
    /// The largest number of subscribers. A handshake above it is answered 503.
    package var maximumSubscribers = 10_000
    /// A subscriber that takes none of its queued bytes for this long is closed with 1008.
    package var stallTimeout = TimeAmount.seconds(30)
    /// The minimum rate at which a subscriber must read waiting messages, in bytes per second, averaged over
    /// `readRateWindow` of the time in which bytes wait; 0 means none. Below it the subscriber is closed with 1008.
    package var minimumReadRate = 1_024
    /// See `minimumReadRate`.
    package var readRateWindow = TimeAmount.seconds(60)
    /// The maximum memory of answers under way and of what their snapshots alone keep alive, in bytes.
    package var readMemory = 256 << 20
    /// An answer may be dropped in favor of others if its client took less than `minimumReadRate` for this long.
    package var readStallTimeout = TimeAmount.seconds(5)
    /// The prefix of links in alerts.
    package var link = RunLink.none
    /// The settings of the WebSocket connections.
    package var webSocket = WebSocketConfiguration()

    /// The defaults.
    package init() {}
}

/// The subscribers of the service: over WebSocket and over Server-Sent Events.
package typealias Subscribers = SubscriberRegistry<WireFrameRenderer>

/// The service: connects the store with the broadcaster, and provides the routes to both.
package final class Monitor: Sendable {
    let configuration: MonitorConfiguration
    let store: any MetricsStoring
    let broadcast: BroadcastManager<WireFrameRenderer>
    let failures: StoreFailures
    /// The memory of answers under way.
    let answers: ResponseBudget
    let sha1Base64: WebSocketHandshake.SHA1Base64
    /// Subscribers that have sent more than one turn of the event loop may handle.
    let turns: TurnQueues
    /// What the service has done, for `GET /metrics`.
    let counters = ServiceCounters()
    /// The delays of the event loops, for `GET /metrics`.
    let lag: EventLoopLag
    private let losses: LossLog
    private let onNotice: (@Sendable (EpisodeNotice) -> Void)?

    /// - Parameters:
    ///   - configuration: limits and times.
    ///   - sha1Base64: computes `Sec-WebSocket-Accept` for the opening handshake.
    ///   - store: where steps are kept; `nil`: in memory, within `configuration.store`.
    ///   - observer: makes what judges the steps of a new run; `nil`: nothing does. Only for a store in memory.
    ///   - onNotice: gets each event of an episode of alerts; it must not wait.
    ///   - logger: gets a line for each run that is evicted and each step that is not kept.
    ///   - folded: gets a line for errors of the store; `nil`: a folded log on `logger`.
    ///   - turns: the queues of connections that wait for their turn.
    ///   - lag: the delays of the event loops.
    package init(
        configuration: MonitorConfiguration, sha1Base64: @escaping WebSocketHandshake.SHA1Base64,
        store: (any MetricsStoring)? = nil, observer: (@Sendable () -> any RunObserver)? = nil,
        onNotice: (@Sendable (EpisodeNotice) -> Void)? = nil,
        logger: Logger = Logger(label: "nnmonitor", factory: { _ in SwiftLogNoOpLogHandler() }),
        folded: FoldedLog? = nil, turns: TurnQueues = TurnQueues(), lag: EventLoopLag = EventLoopLag()
    ) {
        self.turns = turns
        self.lag = lag
        self.onNotice = onNotice
        let store = store ?? MemoryStore(limits: configuration.store, observer: observer ?? { NoRules() })
        self.configuration = configuration
        self.sha1Base64 = sha1Base64
        self.store = store
        var limits = configuration.store
        if configuration.memory > 0 { limits.memory = configuration.memory }
        losses = LossLog(logger: logger, limits: limits)
        let folded = folded ?? FoldedLog(logger: logger)
        failures = StoreFailures(log: folded)
        answers = ResponseBudget(
            limit: configuration.readMemory, stallTime: configuration.readStallTimeout,
            minimumRate: configuration.minimumReadRate, retained: { store.retainedMemory },
            onDrop: {
                folded.note("slow reader", level: .warning, "a slow reader was dropped") {
                    ["reason": "answers and the removed steps that they contain exceed MAX_READ_MEMORY"]
                }
            })
        broadcast = BroadcastManager(
            renderer: WireFrameRenderer(), maximumSubscribers: configuration.maximumSubscribers,
            lastSequence: store.lastSequence, link: configuration.link)
    }

    /// All routes of the service, for the HTTP server.
    package var routes: [Route] {
        [IngestRoute(self).route, OpenIngestRoute(self).route] + RunRoutes(self).routes + OpenRunRoutes(self).routes
            + OpenReadRoutes(self).routes + SeriesRoutes(self).routes
            + [CompareRoute(self).route, healthRoute, MetricsRoute(self).route]
            + [SubscriberRoute(self).route, EventRoute(self).route]
    }

    /// The subscribers.
    package var subscribers: Subscribers { broadcast.subscribers }

    /// Stores a step and sends it to every subscriber.
    ///
    /// Every sequence number that the store takes reaches the broadcaster, also when the append fails or the task is
    /// cancelled: the broadcaster waits for each of them.
    ///
    /// - Parameter step: a valid step.
    /// - Returns: the effects of the step.
    /// - Throws: `StoreError` if the step was not stored.
    @discardableResult
    func accept(_ step: DecodedStep) async throws(StoreError) -> AppendOutcome {
        let outcome: AppendOutcome
        do {
            outcome = try await store.append(step)
        } catch {
            await publish(error.events)
            throw error
        }
        counters.accept(outcome)
        if outcome.lostAnything { losses.note(outcome) }
        answers.check()
        // Most steps have no other event, so no list of events is made.
        if outcome.evicted.isEmpty, outcome.changes.isEmpty, outcome.alerts.isEmpty {
            await publish(.stored(outcome.step))
        } else {
            await publish(outcome.events)
            outcome.notices.forEach { onNotice?($0) }
        }
        return outcome
    }

    /// Stores several steps in their order, in one call of the store, and sends them to every subscriber.
    ///
    /// - Parameter steps: valid steps, few enough that storing them does not hold up other calls of the store.
    /// - Returns: the effects of the stored steps, and the failure if one was not stored.
    func accept(_ steps: [DecodedStep]) async -> AppendedSteps {
        let appended = await store.append(steps)
        for outcome in appended.outcomes {
            counters.accept(outcome)
            if outcome.lostAnything { losses.note(outcome) }
            outcome.notices.forEach { onNotice?($0) }
        }
        answers.check()
        let events = appended.events
        for event in events { counters.note(event) }
        if !broadcast.skipIfUnwatched(events) {
            await withTaskExecutorPreference(globalConcurrentExecutor) { await broadcast.publish(events) }
        }
        return appended
    }

    /// Not inlined: the space for a loop would be reserved for each step.
    @inline(never)
    private func publish(_ events: [StoreEvent]) async {
        for event in events { await publish(event) }
    }

    /// Deletes a run and notifies every subscriber.
    ///
    /// - Parameter runID: the run.
    /// - Returns: whether there was such a run.
    /// - Throws: `StoreError` if the run was not deleted.
    func delete(_ runID: RunID) async throws(StoreError) -> Bool {
        let removed: RemovedRun?
        do {
            removed = try await store.remove(runID)
        } catch {
            for event in error.events { await publish(event) }
            throw error
        }
        guard let removed else { return false }
        answers.check()
        await publish(.removed(removed))
        return true
    }

    /// Updates what clients report about a run, and notifies the subscribers.
    ///
    /// - Parameters:
    ///   - runID: the run; a new id begins a run.
    ///   - update: a valid update.
    /// - Returns: the run, and whether it began; or the errors of the update, which then has no effect.
    /// - Throws: `StoreError` if the update was not stored.
    func update(
        _ runID: RunID, with update: RunUpdate
    ) async throws(StoreError) -> Result<RunUpdateOutcome, RejectedPayload> {
        let result: Result<RunUpdateOutcome, RejectedPayload>
        do {
            result = try await store.update(runID, with: update)
        } catch {
            for event in error.events { await publish(event) }
            throw error
        }
        if case .success(let outcome) = result {
            losses.note(outcome)
            for event in outcome.events { await publish(event) }
            outcome.notices.forEach { onNotice?($0) }
        }
        return result
    }

    /// Notes an alert of a run's trainer, and notifies the subscribers.
    ///
    /// - Parameters:
    ///   - alert: a valid alert.
    ///   - runID: the run.
    /// - Returns: whether there is such a run.
    /// - Throws: `StoreError` if the alert was not stored.
    func note(_ alert: PostedAlert, of runID: RunID) async throws(StoreError) -> Bool {
        let outcome: RunUpdateOutcome?
        do {
            outcome = try await store.note(alert, of: runID)
        } catch {
            for event in error.events { await publish(event) }
            throw error
        }
        guard let outcome else { return false }
        losses.note(outcome)
        for event in outcome.events { await publish(event) }
        outcome.notices.forEach { onNotice?($0) }
        return true
    }

    /// Notifies the subscribers of runs that have become silent.
    package func noteSilence() async {
        do throws(StoreError) {
            for event in try await store.noteSilence() { await publish(event) }
        } catch {
            for event in error.events { await publish(event) }
            failures.note(error, during: .silence)
        }
    }

    /// Notifies the subscribers in the form `runs` of runs that have got steps.
    ///
    /// - Parameter time: runs whose last change is earlier are left out.
    package func noteProgress(since time: UTCTime) async {
        guard subscribers.showsRuns else { return }
        do throws(StoreError) {
            for event in try await store.noteProgress(since: time) { await publish(event) }
        } catch {
            for event in error.events { await publish(event) }
            failures.note(error, during: .listing)
        }
    }

    private func publish(_ event: StoreEvent) async {
        counters.note(event)
        if broadcast.skipIfUnwatched(event) { return }
        // Encoding and compressing take too long for an event loop, on which this may run.
        await withTaskExecutorPreference(globalConcurrentExecutor) { await broadcast.publish(event) }
    }

    private var healthRoute: Route {
        // The dashboard names these limits when a run is evicted or a step is not kept.
        let limits =
            ",\"max_runs\":\(configuration.store.runs),\"max_steps_per_run\":\(configuration.store.stepsPerRun)}"
        return .on(.GET, "/health", scope: nil) { [self] _ in
            var body = ByteBuffer()
            body.reserveCapacity(192)
            body.writeStaticString("{\"status\":\"healthy\",\"active_connections\":")
            body.writeString(String(subscribers.count))
            body.writeString(limits)
            return .json(body)
        }
    }
}
