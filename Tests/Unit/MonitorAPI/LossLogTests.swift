import Foundations
import Logging
import MonitorCore
import NIOCore
import Testing

@testable import MonitorAPI

/// A clock that the test advances.
private final class Clock: Sendable {
    private let time = Locked(NIODeadline.uptimeNanoseconds(1))

    var now: NIODeadline { time.withLock { $0 } }

    func advance(by amount: TimeAmount) { time.withLock { $0 = $0 + amount } }
}

/// Which losses get a log line.
@Suite struct LossLogTests {
    private let lines = LogLines.Lines()
    private let clock = Clock()
    private let limits = StoreLimits(runs: 2, stepsPerRun: 10)
    private let store: MemoryStore
    private let log: LossLog

    init() {
        let (lines, clock) = (lines, clock)
        store = MemoryStore(limits: limits)
        log = LossLog(
            logger: Logger(label: "test") { _ in LogLines(lines: lines) }, limits: limits,
            clock: { clock.now })
    }

    private func post(_ run: String, _ step: Int = 0) async throws {
        let outcome = await store.append(try Payload.step(step, layers: 1, run: run))
        if outcome.lostAnything { log.note(outcome) }
    }

    @Test func `a run gets one line of a kind a minute, with the total`() async throws {
        for run in ["a", "b", "c", "a", "b", "c"] { try await post(run) }
        #expect(
            lines.take() == [
                "notice evicted_runs=1 max_runs=2 run_id=a steps=1",
                "notice evicted_runs=2 max_runs=2 run_id=b steps=1",
                "notice evicted_runs=3 max_runs=2 run_id=c steps=1",
            ])
        clock.advance(by: .seconds(59))
        try await post("a")
        #expect(lines.take().isEmpty)
        clock.advance(by: .seconds(1))
        try await post("b")
        #expect(lines.take() == ["notice evicted_runs=6 max_runs=2 run_id=c steps=1"])
    }

    @Test func `each kind has its own line`() async throws {
        for step in 100..<112 { try await post("a", step) }
        for step in 0..<3 { try await post("a", step) }
        #expect(
            lines.take() == [
                "notice max_steps_per_run=10 run_id=a step=110 steps_not_kept=1",
                "notice max_steps_per_run=10 run_id=a step=0 steps_not_kept=3",
            ])
        clock.advance(by: .minutes(1))
        try await post("a", 1)
        #expect(lines.take() == ["notice max_steps_per_run=10 run_id=a step=1 steps_not_kept=6"])
    }

    @Test func `the lines of a minute are bounded for any number of runs`() async throws {
        for number in 0..<3000 { try await post("run \(number)") }
        #expect(lines.take().count == 1000)
        clock.advance(by: .minutes(1))
        try await post("last")
        #expect(lines.take() == ["notice evicted_runs=2999 max_runs=2 run_id=run 2998 steps=1"])
    }
}
