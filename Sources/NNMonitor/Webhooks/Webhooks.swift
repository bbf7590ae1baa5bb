package import MonitorCore
package import NIOCore
import TLS

/// Sends the events of episodes of alerts to receivers.
///
/// Each receiver has a queue of its own, so one that is slow or down delays no other, and never the ingest.
package final class Webhooks: Sendable {
    private let senders: [WebhookSender]
    private let minimumSeverity: AlertLevel
    private let shutdownGrace: TimeAmount
    /// Ends with `stop`.
    private let stopSignal: AsyncStream<Void>
    private let stopContinuation: AsyncStream<Void>.Continuation

    /// Reads the authorities. Blocks on disk reads: do not call it on an event loop.
    ///
    /// - Parameters:
    ///   - configuration: the receivers, limits and times.
    ///   - group: runs the connections and timers.
    ///   - log: gets a line for each lost message, and for each attempt that failed.
    /// - Throws: `TLSError` if the file with the authorities cannot be used.
    package init(
        _ configuration: WebhooksConfiguration, group: any EventLoopGroup,
        log: @escaping @Sendable (WebhookLogLine) -> Void
    ) throws {
        let isSecure = configuration.webhooks.contains { $0.address.isSecure }
        let tls = isSecure ? try TLSClientContext(trusting: configuration.authorityFile) : nil
        senders = configuration.webhooks.enumerated().map { index, webhook in
            let eventLoop = group.next()
            let client = WebhookClient(
                eventLoop: eventLoop, tls: tls, connectTimeout: configuration.connectTimeout,
                timeout: configuration.timeout)
            return WebhookSender(
                number: index + 1, webhook: webhook, configuration: configuration, eventLoop: eventLoop, log: log,
                client: { await client.send($0) })
        }
        minimumSeverity = configuration.minimumSeverity
        shutdownGrace = configuration.shutdownGrace
        (stopSignal, stopContinuation) = AsyncStream.makeStream(of: Void.self)
    }

    /// Queues an event for every receiver if it is severe enough. It does not wait.
    package func enqueue(_ notice: EpisodeNotice) {
        guard notice.episode.severity.rank >= minimumSeverity.rank else { return }
        for sender in senders { sender.enqueue(notice) }
    }

    /// What became of all messages so far.
    package var counts: DeliveryCounts {
        var sum = DeliveryCounts()
        for sender in senders {
            let counts = sender.counts
            sum.delivered += counts.delivered
            sum.refused += counts.refused
            sum.failed += counts.failed
            sum.queueFull += counts.queueFull
            sum.stopped += counts.stopped
            sum.retries += counts.retries
            sum.waiting += counts.waiting
        }
        return sum
    }

    /// Sends events until `stop`, then those that are queued, for a limited time. Called once.
    package func run() async {
        // The result is whether a sender has ended, and not the grace.
        await withTaskGroup(of: Bool.self) { group in
            for sender in senders {
                group.addTask {
                    await sender.run()
                    return true
                }
            }
            group.addTask { [self] in
                for await _ in stopSignal {}
                try? await Task.sleep(for: .nanoseconds(shutdownGrace.nanoseconds))
                return false
            }
            var running = senders.count
            while running > 0, let isSender = await group.next() {
                if isSender { running -= 1 } else { group.cancelAll() }
            }
            group.cancelAll()
        }
    }

    /// Ends `run` once all queues are empty, or after the grace.
    package func stop() {
        stopContinuation.finish()
        for sender in senders { sender.stop() }
    }
}

extension AlertLevel {
    /// 0 for the least severe level.
    fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
