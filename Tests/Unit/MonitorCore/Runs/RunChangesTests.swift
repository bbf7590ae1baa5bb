import Foundations
import Testing

@testable import MonitorCore

/// The steps that changed after a `seq`.
@Suite struct RunChangesTests {
    private func read(_ changes: RunChanges?) async throws -> [(step: Int64, seq: UInt64)] {
        guard let changes else { return [] }
        var steps: [(step: Int64, seq: UInt64)] = []
        while case let batch = try await changes.steps.steps(afterSeq: steps.last?.seq), !batch.isEmpty {
            steps += batch.map { ($0.step, $0.seq) }
        }
        #expect(try await changes.steps.count() == steps.count)
        return steps
    }

    @Test func `changes come in the order of seq with the newest version of each step`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        for number: Int64 in [5, 3, 5, 1, 3, 9] { _ = await store.append(OpenSteps.step(number)) }
        for (since, expected) in [(0, [5, 1, 3, 9]), (2, [5, 1, 3, 9]), (4, [3, 9]), (6, [])] as [(UInt64, [Int64])] {
            let changes = try #require(await store.changes(of: "r", after: since, createdAt: nil))
            #expect(!changes.isReset)
            #expect(changes.lastSeq == 6)
            #expect(try await read(changes).map(\.step) == expected)
        }
        #expect(await store.changes(of: "s", after: 0, createdAt: nil) == nil)
    }

    @Test func `an unknown seq or another creation time is a reset with all steps`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        for number: Int64 in [4, 2] { _ = await store.append(OpenSteps.step(number)) }
        let beyond = try #require(await store.changes(of: "r", after: 3, createdAt: nil))
        #expect(beyond.isReset)
        #expect(try await read(beyond).map(\.step) == [4, 2])
        let created = try #require(await store.describe("r")).createdAt.iso8601
        #expect(try #require(await store.changes(of: "r", after: 1, createdAt: created)).isReset == false)
        #expect(try #require(await store.changes(of: "r", after: 1, createdAt: created + "x")).isReset)
    }

    @Test func `a step that was dropped unseen is a reset`() async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 16))
        for number: Int64 in 0..<30 { _ = await store.append(OpenSteps.step(number)) }
        let unseen = try #require(await store.changes(of: "r", after: 13, createdAt: nil))
        #expect(unseen.isReset)
        #expect(try await read(unseen).map(\.step) == Array(14..<30))
        let seen = try #require(await store.changes(of: "r", after: 14, createdAt: nil))
        #expect(!seen.isReset)
        #expect(try await read(seen).map(\.seq) == Array(15...30))
        // A step below the kept ones is accepted and never held.
        _ = await store.append(OpenSteps.step(1))
        #expect(try #require(await store.changes(of: "r", after: 30, createdAt: nil)).isReset)
        #expect(try #require(await store.changes(of: "r", after: 31, createdAt: nil)).isReset == false)
    }

    @Test func `a seq up to the seam of resume_from is a reset`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        for number: Int64 in 0..<10 { _ = await store.append(OpenSteps.step(number)) }
        let outcome = try await store.put(#"{"resume_from":6}"#)
        #expect(outcome.run.stepCount == 6 && outcome.run.lastStep == 5)
        guard case .reset(let reset) = outcome.events.first, case .run(let change) = outcome.events.last else {
            Issue.record("\(outcome.events)")
            return
        }
        #expect((reset.sequence, reset.fromStep) == (12, 6))
        #expect((change.sequence, change.hasBegun) == (13, false))
        #expect(await store.append(OpenSteps.step(6)).seq == 11)
        for (since, isReset) in [(8, true), (10, true), (11, false)] as [(UInt64, Bool)] {
            let changes = try #require(await store.changes(of: "r", after: since, createdAt: nil))
            #expect(changes.isReset == isReset)
            #expect(try await read(changes).map(\.step) == (isReset ? Array(0...6) : []))
        }
    }

    @Test func `changes are those of the snapshot whatever follows`() async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 600))
        for number: Int64 in 0..<600 { _ = await store.append(OpenSteps.step(599 - number)) }
        let changes = try #require(await store.changes(of: "r", after: 100, createdAt: nil))
        for number: Int64 in 0..<600 { _ = await store.append(OpenSteps.step(number + 300)) }
        let steps = try await read(changes)
        #expect(steps.map(\.seq) == Array(101...600))
        #expect(steps.map(\.step) == (0...499).reversed())
    }

    @Test func `a client that resumes at random ends with exactly the kept steps`() async throws {
        var random = SystemRandomNumberGenerator()
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 40))
        var known: [Int64: UInt64] = [:]
        var since: UInt64 = 0
        for _ in 0..<400 {
            for _ in 0..<Int.random(in: 0..<30, using: &random) {
                _ = await store.append(OpenSteps.step(.random(in: 0..<100, using: &random)))
            }
            if Int.random(in: 0..<20, using: &random) == 0 {
                _ = try await store.put(#"{"resume_from":\#(Int.random(in: 0..<100, using: &random))}"#)
            }
            guard let changes = await store.changes(of: "r", after: since, createdAt: nil) else { continue }
            if changes.isReset { known = [:] }
            let steps = try await read(changes)
            #expect(steps.map(\.seq) == steps.map(\.seq).sorted())
            #expect(changes.isReset || steps.allSatisfy { $0.seq > since })
            for step in steps { known[step.step] = step.seq }
            since = changes.lastSeq
            let kept = try #require(await store.snapshot(of: "r"))
            var held: [Int64: UInt64] = [:]
            var last: Int64?
            while case let batch = try await kept.steps.steps(after: last), !batch.isEmpty {
                for record in batch { held[record.step] = record.seq }
                last = batch.last?.step
            }
            // Steps that were dropped below the kept ones may remain with the client, as after live messages.
            #expect(held.allSatisfy { known[$0.key] == $0.value })
        }
    }
}
