package import NIOCore

/// The connections of one event loop that have received more than one turn may handle. Each waits for its next turn.
///
/// The turns that wait run together, as a round, and the event loop polls its sockets between two rounds. So between
/// two turns of one connection, every other one that waits or has new input gets a turn. `EventLoop.execute` does not
/// have this property: an event loop runs the tasks that its tasks add before it polls again.
package final class TurnQueue {
    /// The time between two rounds where `PollSignal` is not available. An event loop polls before it runs a task that
    /// is due in the future; if other tasks take longer than this, a round may precede the poll.
    private static let pause = TimeAmount.microseconds(100)

    private let eventLoop: any EventLoop
    private var signal: PollSignal?
    private var waiting: [() -> Void] = []
    private var isScheduled = false
    /// The number of connections that take a turn in the current round, or took one in the last round.
    package private(set) var roundSize = 0

    /// Makes an empty queue. All calls must be on `eventLoop`.
    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        signal = PollSignal(eventLoop: eventLoop) { [weak self] in self?.runRound() }
    }

    /// Runs `turn` in the next round. A turn that is appended while a round runs belongs to the round after it.
    package func append(_ turn: @escaping () -> Void) {
        waiting.append(turn)
        guard !isScheduled else { return }
        isScheduled = true
        if signal?.requestPoll() == true { return }
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in runRound() }
    }

    private func runRound() {
        guard isScheduled else { return }
        isScheduled = false
        let turns = waiting
        waiting = []
        roundSize = turns.count
        for turn in turns { turn() }
    }
}

@available(*, unavailable)
extension TurnQueue: Sendable {}
