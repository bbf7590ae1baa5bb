package import Logging

/// A line for the log. It contains no secret: of an address only the host.
package struct WebhookLogLine: Sendable {
    /// The key under which such lines are counted; from a fixed set.
    package let cause: String
    /// The level of the line.
    package let level: Logger.Level
    /// One sentence.
    package let message: Logger.Message
    /// The fields of the line.
    package let metadata: Logger.Metadata
}
