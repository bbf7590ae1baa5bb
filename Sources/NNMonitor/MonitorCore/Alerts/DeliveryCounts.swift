/// What became of the messages to the receivers of alerts.
package struct DeliveryCounts: Sendable, Equatable {
    /// Messages that a receiver accepted.
    package var delivered = 0
    /// Lost: the receiver refused them, and would do so again.
    package var refused = 0
    /// Lost: every attempt failed.
    package var failed = 0
    /// Lost: the queue was full.
    package var queueFull = 0
    /// Lost: the server stopped.
    package var stopped = 0
    /// Attempts after the first one of a message.
    package var retries = 0
    /// Messages that are not delivered yet.
    package var waiting = 0

    /// None.
    package init() {}

    /// Lost messages.
    package var lost: Int { refused + failed + queueFull + stopped }
}
