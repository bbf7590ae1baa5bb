/// A change of an alert, at its position in the order of all changes.
package struct RunAlert: Sendable {
    /// The sequence number of this change.
    package let sequence: UInt64
    /// The run's id, as it was posted.
    package let runID: RunID
    /// The alert after the change.
    package let alert: Alert

    /// - Parameters:
    ///   - sequence: the sequence number of this change.
    ///   - runID: the run's id, as it was posted.
    ///   - alert: the alert after the change.
    package init(sequence: UInt64, runID: RunID, alert: Alert) {
        self.sequence = sequence
        self.runID = runID
        self.alert = alert
    }
}
