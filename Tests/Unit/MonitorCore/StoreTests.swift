import Foundations
import Testing

@testable import MonitorCore

/// The memory store.
@Suite struct StoreTests {
    /// Reads all step numbers of a snapshot.
    private func steps(_ snapshot: RunSnapshot?) async throws -> [Int64] {
        guard let snapshot else { return [] }
        var numbers: [Int64] = []
        while case let batch = try await snapshot.steps.steps(after: numbers.last), !batch.isEmpty {
            numbers += batch.map(\.step)
        }
        return numbers
    }

    @Test func `steps are sorted and replaced in place`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        for number in [5, 1, 9, 5, 3] { _ = await store.append(Payloads.step(number)) }
        #expect(try await steps(store.snapshot(of: "r")) == [1, 3, 5, 9])
        #expect(await store.latest(of: "r")?.step == 9)
        #expect(await store.listing().runs.map(\.stepCount) == [4])
    }

    @Test func `the sequence of steps behaves like a sorted array`() {
        var random = SystemRandomNumberGenerator()
        var sequence = StepSequence()
        var model: [Int64] = []
        let template = Payloads.step(0).contents
        for _ in 0..<5000 {
            if model.count > 0, Int.random(in: 0..<10, using: &random) == 0 {
                #expect(sequence.removeFirst()?.step == model.removeFirst())
                continue
            }
            var step = template
            step.step = .random(in: 0..<3000, using: &random)
            let replaced = sequence.insert(StepRecord(DecodedStep(step)))
            #expect((replaced != nil) == model.contains(step.step))
            if replaced == nil { model.insert(step.step, at: model.firstIndex { $0 > step.step } ?? model.count) }
        }
        var read: [Int64] = []
        while case let batch = sequence.steps(after: read.last), !batch.isEmpty { read += batch.map(\.step) }
        #expect(read == model)
        #expect(sequence.count == model.count)
    }

    @Test func `a full run keeps the highest steps`() async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 10))
        for number in 10..<25 { #expect(await store.append(Payloads.step(number)).step.kept) }
        #expect(try await steps(store.snapshot(of: "r")) == Array(15..<25))
        #expect(await store.append(Payloads.step(3)).step.kept == false)
        #expect(await store.append(Payloads.step(15)).step.kept)
        #expect(try await steps(store.snapshot(of: "r")) == Array(15..<25))
    }

    @Test func `a new run evicts the least recently updated one even when the clock goes back`() async {
        let time = Locked<Int64>(1_000_000)
        let store = MemoryStore(limits: StoreLimits(runs: 2)) {
            UTCTime(
                microseconds: time.withLock {
                    $0 -= 10; return $0
                })
        }
        for run in ["a", "b", "a", "c"] { _ = await store.append(Payloads.step(1, run: run)) }
        #expect(await store.listing().runs.map(\.id) == ["a", "c"])
    }

    @Test func `over the memory limit the oldest run is evicted and then the lowest steps`() async throws {
        let layers = (0..<50).map { Payloads.layer(id: "layer.\($0)", depth: "\($0)") }
        let probe = MemoryStore(limits: StoreLimits())
        for number in 0..<10 { _ = await probe.append(Payloads.step(number, layers: layers)) }
        let tenSteps = await probe.memoryInUse
        let store = MemoryStore(limits: StoreLimits(memory: tenSteps + tenSteps / 2))
        for number in 0..<10 { _ = await store.append(Payloads.step(number, run: "old", layers: layers)) }
        for number in 0..<10 { _ = await store.append(Payloads.step(number, run: "new", layers: layers)) }
        #expect(await store.listing().runs.map(\.id) == ["new"])
        for number in 10..<40 { _ = await store.append(Payloads.step(number, run: "new", layers: layers)) }
        let left = try await steps(store.snapshot(of: "new"))
        #expect(left.last == 39)
        #expect(left.count > 5 && left.count < 30)
        #expect(await store.memoryInUse <= tenSteps + tenSteps / 2)
    }

    @Test func `replaced steps take no memory`() async {
        let store = MemoryStore(limits: StoreLimits(runs: 1))
        for run in 0..<20 {
            for number in 0..<5 {
                let shape = "\"activation_std\":0.5,\"activation_mean\":0,\"activation_shape\":[\(number),64]"
                _ = await store.append(
                    Payloads.step(number, run: "r\(run)", layers: [Payloads.layer(features: shape)]))
            }
        }
        let used = await store.memoryInUse
        let single = MemoryStore(limits: StoreLimits(runs: 1))
        for number in 0..<5 {
            let shape = "\"activation_std\":0.5,\"activation_mean\":0,\"activation_shape\":[\(number),64]"
            _ = await single.append(Payloads.step(number, run: "r19", layers: [Payloads.layer(features: shape)]))
        }
        // The capacity of an array varies by a few bytes.
        #expect(abs(await single.memoryInUse - used) <= 5 * 64)
        #expect(await store.remove("r19") != nil)
        #expect(await store.memoryInUse == 0)
    }

    @Test func `a removed run frees its memory`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        _ = await store.append(Payloads.step(1, run: "a"))
        let used = await store.memoryInUse
        for number in 0..<10 { _ = await store.append(Payloads.step(number, run: "b")) }
        #expect(await store.remove("c") == nil)
        let removed = try #require(await store.remove("b"))
        // Steps, removals and runs that begin share one sequence.
        #expect(removed.sequence == 14)
        #expect(await store.append(Payloads.step(1, run: "a")).step.sequence == 15)
        #expect(await store.listing().runs.map(\.id) == ["a"])
        #expect(await store.snapshot(of: "b") == nil)
        #expect(await store.memoryInUse == used)
    }

    @Test func `sequence numbers and times continue after restored ones`() async throws {
        let restored = UTCTime(microseconds: 5_000_000)
        let store = MemoryStore(limits: StoreLimits(), lastSequence: 41, lastUpdate: restored) {
            UTCTime(microseconds: 1_000_000)
        }
        #expect(store.lastSequence == 41)
        #expect(await store.listing().sequence == 41)
        // The run begins with the number before.
        #expect(await store.append(Payloads.step(1)).step.sequence == 43)
        let run = try #require(await store.listing().runs.first)
        #expect(run.createdAt > restored)
        #expect(store.lastSequence == 41)
    }

    @Test func `a batch of steps begins after any step`() {
        var sequence = StepSequence()
        let step = Payloads.step(0).contents
        for number in stride(from: 0, to: 2000, by: 2) {
            var step = step
            step.step = Int64(number)
            _ = sequence.insert(StepRecord(DecodedStep(step)))
        }
        #expect(sequence.steps(after: nil).first?.step == 0)
        for number in [-5, 0, 1, 509, 510, 511, 512, 1995, 1996] as [Int64] {
            let next = number < 0 ? 0 : number / 2 * 2 + 2
            #expect(sequence.steps(after: number).first?.step == next)
        }
        #expect(sequence.steps(after: 1998).isEmpty)
        #expect(sequence.steps(after: .max).isEmpty)
        #expect(StepSequence().steps(after: nil).isEmpty)
    }

    @Test func `a payload with much white space takes no more memory than its numbers`() async throws {
        let wordy = Payloads.payload() + String(repeating: " ", count: 500_000)
        let decoded = try StepDecoder.decode(Array(wordy.utf8)).get()
        #expect(decoded.numbers.capacity < 64)
        let record = await MemoryStore(limits: StoreLimits()).append(decoded).step.record
        #expect(record.numbers.map(\.bitPattern) == decoded.numbers.map(\.bitPattern))
        #expect(record.numbers.capacity < 64)
    }

    @Test func `steps of the same structure share it`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        let first = await store.append(Payloads.step(1)).step.record
        let second = await store.append(Payloads.step(2)).step.record
        let other = await store.append(Payloads.step(3, layers: [Payloads.layer(id: "z")])).step.record
        #expect(first.table === second.table)
        #expect(first.shapes === second.shapes)
        #expect(other.table !== second.table)
    }

    @Test func `a snapshot does not change`() async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 300))
        for number in 0..<300 { _ = await store.append(Payloads.step(number)) }
        let snapshot = await store.snapshot(of: "r")
        for number in 300..<600 { _ = await store.append(Payloads.step(number)) }
        #expect(try await steps(snapshot) == Array(0..<300))
        #expect(try await steps(store.snapshot(of: "r")) == Array(300..<600))
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000+00:00"),
        (1_770_726_896_789_012, "2026-02-10T12:34:56.789012+00:00"),
        (951_782_400_000_001, "2000-02-29T00:00:00.000001+00:00"),
        (-1, "1969-12-31T23:59:59.999999+00:00"),
    ])
    func `times are written in UTC`(microseconds: Int64, text: String) {
        #expect(UTCTime(microseconds: microseconds).iso8601 == text)
    }
}
