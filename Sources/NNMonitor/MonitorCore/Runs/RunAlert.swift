/// An alert of a trainer, at its position in the order of all changes.
package struct RunAlert: Sendable {
    /// The sequence number of this change.
    package let sequence: UInt64
    /// The run's id, as it was posted.
    package let runID: RunID
    /// Identifies the alert in the run.
    package let number: UInt64
    /// What was posted.
    package let alert: PostedAlert
    /// The `seq` of the run's last accepted step.
    package let lastSeq: UInt64
    /// When it was posted.
    package let time: UTCTime

    /// - Parameters:
    ///   - sequence: the sequence number of this change.
    ///   - runID: the run's id, as it was posted.
    ///   - number: identifies the alert in the run.
    ///   - alert: what was posted.
    ///   - lastSeq: the `seq` of the run's last accepted step.
    ///   - time: when it was posted.
    package init(
        sequence: UInt64, runID: RunID, number: UInt64, alert: PostedAlert, lastSeq: UInt64, time: UTCTime
    ) {
        self.sequence = sequence
        self.runID = runID
        self.number = number
        self.alert = alert
        self.lastSeq = lastSeq
        self.time = time
    }
}
