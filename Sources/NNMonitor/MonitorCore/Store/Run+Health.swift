/// The observer of a run's steps.
struct RunHealth: Sendable {
    /// The observer.
    fileprivate(set) var observer: any RunObserver
    /// Its memory as it is counted in `Run.memory`.
    fileprivate(set) var countedMemory = 0

    init(_ observer: any RunObserver) { self.observer = observer }
}

/// What an observer finds in a run's steps.
extension Run {
    /// Judges an accepted step.
    ///
    /// - Parameters:
    ///   - record: the step.
    ///   - isBelowKeptSteps: whether it is not kept because all kept ones are higher.
    /// - Returns: what changed.
    mutating func observe(_ record: StepRecord, isBelowKeptSteps: Bool) -> HealthChanges {
        let (kept, context) = (steps, details.context)
        return observe { $0.observe(record, isBelowKeptSteps: isBelowKeptSteps, kept: kept, context: context) }
    }

    /// Changes what the observer knows, and counts its memory and its open alerts.
    mutating func observe(_ body: (inout any RunObserver) -> HealthChanges) -> HealthChanges {
        let changes = body(&health.observer)
        let now = health.observer.memory
        memory += now - health.countedMemory
        health.countedMemory = now
        if !changes.alerts.isEmpty {
            let counts = health.observer.openAlerts
            change { $0.openAlerts = counts }
        }
        return changes
    }
}
