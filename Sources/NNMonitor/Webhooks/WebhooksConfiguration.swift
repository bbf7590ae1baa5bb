package import MonitorCore
package import NIOCore

/// The receivers of alerts, and the limits and times of their messages.
package struct WebhooksConfiguration: Sendable {
    /// The receivers.
    package var webhooks: [Webhook] = []
    /// The least severity of an episode of which receivers are informed.
    package var minimumSeverity = AlertLevel.warning
    /// Path of a PEM file with the only authorities to trust; `nil`: those of the system.
    package var authorityFile: String?
    /// The largest number of events that wait for one receiver.
    package var queueLimit = 100
    /// The time for a connection.
    package var connectTimeout = TimeAmount.seconds(5)
    /// The time for a whole request, from the lookup of the host name to the head of the response.
    package var timeout = TimeAmount.seconds(15)
    /// Attempts after the first one.
    package var retries = 12
    /// The longest wait before the second attempt; it doubles with each further one.
    package var retryBase = TimeAmount.seconds(1)
    /// The longest wait before an attempt, also if the receiver asks for a longer one.
    package var retryMaximum = TimeAmount.seconds(300)
    /// How long messages are still sent while the server stops.
    package var shutdownGrace = TimeAmount.seconds(5)
    /// The prefix of links.
    package var link = RunLink.none

    /// No receivers.
    package init() {}
}
