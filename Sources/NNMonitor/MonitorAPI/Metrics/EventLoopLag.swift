import Foundations
package import NIOCore

/// How late the event loops run what is due.
///
/// Each event loop runs a task once a second and records how long after its time the task began. A task that should
/// have run and has not yet counts with the time since then.
package final class EventLoopLag: Sendable {
    /// The last measurement of one event loop.
    private struct Measurement {
        var lag = TimeAmount.zero
        /// When the next task should run.
        var due: NIODeadline
    }

    private let interval: TimeAmount
    private let measurements = Locked<[Measurement]>([])

    /// - Parameter interval: the time between two measurements.
    package init(interval: TimeAmount = .seconds(1)) { self.interval = interval }

    /// Begins to measure the event loops of a group, until they shut down. Called once.
    package func watch(_ group: any EventLoopGroup) {
        for (index, eventLoop) in group.makeIterator().enumerated() {
            let due = NIODeadline.now() + interval
            measurements.withLock { $0.append(Measurement(due: due)) }
            schedule(index, on: eventLoop, at: due)
        }
    }

    /// The largest lag of the event loops in their last interval.
    package func current(at now: NIODeadline = .now()) -> TimeAmount {
        measurements.withLock { $0.map { max($0.lag, now - $0.due) }.max() ?? .zero }
    }

    private func schedule(_ index: Int, on eventLoop: any EventLoop, at due: NIODeadline) {
        eventLoop.scheduleTask(deadline: due) { [self] in
            let now = NIODeadline.now()
            let next = now + interval
            measurements.withLock { $0[index] = Measurement(lag: max(.zero, now - due), due: next) }
            schedule(index, on: eventLoop, at: next)
        }
    }
}
