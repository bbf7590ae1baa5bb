import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// `GET /metrics`: how the server is doing, for Prometheus.
struct MetricsRoute: Sendable {
    private let monitor: Monitor

    init(_ monitor: Monitor) { self.monitor = monitor }

    var route: Route {
        .on(.GET, "/metrics", scope: .read) { _ in
            HTTPResponse(
                status: .ok, headers: ["Content-Type": PrometheusText.type],
                body: .bytes(ByteBuffer(string: await text())))
        }
    }

    /// The metrics in Prometheus's text format.
    func text() async -> String {
        let counters = monitor.counters
        var text = PrometheusText()
        text.write("steps_accepted_total", .counter, "Steps answered 202.", counters.stepsAccepted.value)
        text.write(
            "steps_not_kept_total", "Accepted steps that were not kept in full.",
            by: [
                (NotKeptReason.belowKeptSteps.name, counters.stepsBelowKept.value),
                (NotKeptReason.memory.name, counters.stepsOverMemory.value),
            ])
        text.write(
            "rejected_total", "Refused posts of steps, and refused lines of batches.",
            by: RejectionReason.allCases.map { ($0.label, counters.rejected($0)) })
        text.write(
            "runs_evicted_total", .counter, "Runs removed because of MAX_RUNS or MAX_MEMORY.",
            counters.runsEvicted.value)
        text.write(
            "received_bytes_total", .counter, "Bytes of the bodies of posted steps, as they were sent (compressed).",
            counters.receivedBytes.value)
        text.write("subscribers", .gauge, "Connected subscribers.", monitor.subscribers.count)
        text.write("messages_sent_total", .counter, "Messages sent to subscribers.", counters.messagesSent.value)
        text.write(
            "messages_skipped_total", .counter, "Messages dropped for subscribers that read too slowly.",
            counters.messagesSkipped.value)
        let deliveries = monitor.deliveries()
        text.write(
            "webhook_messages_total", "Messages about alerts, by what became of them: all but delivered ones are lost.",
            label: "result",
            by: [
                ("delivered", deliveries.delivered), ("refused", deliveries.refused), ("failed", deliveries.failed),
                ("queue_full", deliveries.queueFull), ("stopped", deliveries.stopped),
            ])
        text.write(
            "webhook_retries_total", .counter, "Attempts to send a message about an alert again.", deliveries.retries)
        text.write("webhook_queue", .gauge, "Messages about alerts that are not delivered yet.", deliveries.waiting)
        text.write(
            "store_bytes", .gauge, "Memory of the stored runs, as it counts against MAX_MEMORY.",
            await monitor.store.memoryInUse)
        text.write(
            "event_loop_lag_seconds", .gauge,
            "The largest delay of a due task on an event loop, measured once a second.",
            Double(monitor.lag.current().nanoseconds) / 1e9)
        return text.text
    }
}
