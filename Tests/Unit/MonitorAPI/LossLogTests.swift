import Foundations
import Logging
import MonitorCore
import NIOCore
import Testing

@testable import MonitorAPI

/// Keeps the lines that are logged.
private struct KeptLog: LogHandler {
    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    final class Lines: Sendable {
        let all = Guarded<[String]>([])
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        lines.all.withLock { $0.append("\(event.level) " + fields.joined(separator: " ")) }
    }
}

/// A clock that a test sets.
private final class Clock: Sendable {
    private let time = Guarded(NIODeadline.uptimeNanoseconds(1))

    var now: NIODeadline { time.withLock { $0 } }

    func pass(_ amount: TimeAmount) { time.withLock { $0 = $0 + amount } }
}

/// Which losses get a line, on a clock of the test's.
@Suite struct LossLogTests {
    private let lines = KeptLog.Lines()
    private let clock = Clock()
    private let limits = StoreLimits(runs: 2, stepsPerRun: 10)
    private let store: MetricsStore
    private let log: LossLog

    init() {
        let (lines, clock) = (lines, clock)
        store = MetricsStore(limits: limits)
        log = LossLog(
            logger: Logger(label: "test") { _ in KeptLog(lines: lines) }, limits: limits,
            clock: { clock.now })
    }

    private func post(_ run: String, _ step: Int = 0) async throws {
        let outcome = await store.append(try Payload.step(step, layers: 1, run: run))
        if outcome.lostAnything { log.note(outcome) }
    }

    private func taken() -> [String] {
        lines.all.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    @Test func aRunGetsOneLineOfAKindAMinuteWithTheTotal() async throws {
        for run in ["a", "b", "c", "a", "b", "c"] { try await post(run) }
        #expect(
            taken() == [
                "notice evicted_runs=1 max_runs=2 run_id=a steps=1",
                "notice evicted_runs=2 max_runs=2 run_id=b steps=1",
                "notice evicted_runs=3 max_runs=2 run_id=c steps=1",
            ])
        clock.pass(.seconds(59))
        try await post("a")
        #expect(taken().isEmpty)
        clock.pass(.seconds(1))
        try await post("b")
        #expect(taken() == ["notice evicted_runs=6 max_runs=2 run_id=c steps=1"])
    }

    @Test func eachKindHasALineOfItsOwn() async throws {
        for step in 100..<112 { try await post("a", step) }
        for step in 0..<3 { try await post("a", step) }
        #expect(
            taken() == [
                "notice max_steps_per_run=10 run_id=a step=110 steps_not_kept=1",
                "notice max_steps_per_run=10 run_id=a step=0 steps_not_kept=3",
            ])
        clock.pass(.minutes(1))
        try await post("a", 1)
        #expect(taken() == ["notice max_steps_per_run=10 run_id=a step=1 steps_not_kept=6"])
    }

    @Test func whateverTheNumberOfRunsTheLinesOfAMinuteAreBounded() async throws {
        for number in 0..<3000 { try await post("run \(number)") }
        #expect(taken().count == 1000)
        clock.pass(.minutes(1))
        try await post("last")
        #expect(taken() == ["notice evicted_runs=2999 max_runs=2 run_id=run 2998 steps=1"])
    }
}
