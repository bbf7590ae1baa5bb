import NIOCore

/// A timer for a deadline that moves with every request. It is not cancelled when the deadline moves later or is
/// removed: it fires early, finds nothing due, and is armed again. A busy connection therefore rarely changes the event
/// loop's timers.
struct LazyTimer {
    private var scheduled: (task: Scheduled<Void>, at: NIODeadline)?

    /// Whether `deadline` is earlier than the scheduled time, so that `arm` would change the timer.
    func needsArming(_ deadline: NIODeadline?) -> Bool {
        guard let deadline else { return false }
        return self.scheduled.map { deadline < $0.at } ?? true
    }

    /// Ensures that `fire` runs at `deadline` or earlier.
    mutating func arm(_ deadline: NIODeadline?, on loop: any EventLoop, fire: @escaping @Sendable () -> Void) {
        guard let deadline else { return }
        if let scheduled = self.scheduled {
            guard deadline < scheduled.at else { return }
            scheduled.task.cancel()
        }
        self.scheduled = (loop.scheduleTask(deadline: deadline, fire), deadline)
    }

    /// Clears the scheduled time. `fire` must call this first.
    mutating func fired() {
        self.scheduled = nil
    }

    mutating func cancel() {
        self.scheduled?.task.cancel()
        self.scheduled = nil
    }
}
