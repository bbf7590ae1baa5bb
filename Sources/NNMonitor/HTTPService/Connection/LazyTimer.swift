import NIOCore

/// A timer for a deadline that moves with every request. It is not cancelled when the deadline moves back or away:
/// it fires, finds that nothing is due, and is set again. So a busy connection doesn't touch the loop's timers at all.
struct LazyTimer {
    private var scheduled: (task: Scheduled<Void>, at: NIODeadline)?

    /// Whether a deadline is earlier than what the timer is set to: only then there is something to arm.
    func needsArming(_ deadline: NIODeadline?) -> Bool {
        guard let deadline else { return false }
        return self.scheduled.map { deadline < $0.at } ?? true
    }

    /// Makes sure that `fire` runs at `deadline` or before.
    mutating func arm(_ deadline: NIODeadline?, on loop: any EventLoop, fire: @escaping @Sendable () -> Void) {
        guard let deadline else { return }
        if let scheduled = self.scheduled {
            guard deadline < scheduled.at else { return }
            scheduled.task.cancel()
        }
        self.scheduled = (loop.scheduleTask(deadline: deadline, fire), deadline)
    }

    /// To be called by `fire` first.
    mutating func fired() {
        self.scheduled = nil
    }

    mutating func cancel() {
        self.scheduled?.task.cancel()
        self.scheduled = nil
    }
}
