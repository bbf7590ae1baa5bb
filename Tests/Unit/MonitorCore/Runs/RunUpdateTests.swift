import Foundations
import Testing

@testable import MonitorCore

/// Updates of runs, their events, and the messages that they cause.
@Suite struct RunUpdateTests {
    /// Sequence number and kind of each event.
    private func kinds(_ events: [StoreEvent]) -> [String] {
        events.map { event in
            switch event {
            case .stored: "\(event.sequence) stored"
            case .removed(let run): "\(event.sequence) removed \(run.runID)"
            case .run(let change): "\(event.sequence) run\(change.hasBegun ? " begun" : "")"
            case .alert: "\(event.sequence) alert"
            case .reset: "\(event.sequence) reset"
            case .void: "\(event.sequence) void"
            }
        }
    }

    @Test func `only a change has a message`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        #expect(kinds(try await store.put(#"{"name":"n","config":{"a":1}}"#).events) == ["1 run begun"])
        #expect(kinds(await store.append(OpenSteps.step(1)).events) == ["2 stored"])
        for same in ["{}", #"{"name":"n"}"#, #"{"config":{"a":1,"b":null}}"#, #"{"state":"running"}"#] {
            #expect(kinds(try await store.put(same).events) == [])
        }
        #expect(kinds(try await store.put(#"{"tags":["t"]}"#).events) == ["3 run"])
        #expect(kinds(try await store.put(#"{"state":"finished"}"#).events) == ["4 run"])
        #expect(kinds(try await store.put(#"{"resume_from":1}"#).events) == ["5 reset", "6 run"])
        #expect(await store.listing().sequence == 6)
    }

    @Test func `a step begins a run with a message before it`() async throws {
        let store = MemoryStore(limits: StoreLimits(runs: 1))
        let first = await store.append(OpenSteps.step(1, run: "a"))
        #expect(kinds(first.events) == ["1 run begun", "2 stored"])
        guard case .run(let change) = first.events.first else { return }
        #expect(change.run.stepCount == 0 && change.run.details.info.state == .running)
        let second = await store.append(OpenSteps.step(1, run: "b"))
        #expect(kinds(second.events).sorted() == ["3 removed a", "4 run begun", "5 stored"])
        let third = try await store.put("{}", "c")
        #expect(kinds(third.events).sorted() == ["6 removed b", "7 run begun"])
        #expect(third.evicted.map(\.runID) == ["b"])
    }

    @Test func `a rejected update changes nothing and takes no number`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        let large = String(repeating: "x", count: 200_000)
        _ = try await store.put(#"{"config":{"a":"\#(large)"}}"#)
        let before = try await store.json()
        await #expect(throws: RejectedPayload.self) { try await store.put(#"{"name":"n","config":{"b":"\#(large)"}}"#) }
        await #expect(throws: RejectedPayload.self) {
            try await store.put(#"{"config":{"a":"\#(large)","b":"\#(large)"}}"#, "s")
        }
        #expect(try await store.json() == before)
        #expect(await store.listing().runs.map(\.id) == ["r"])
        #expect(await store.listing().sequence == 1)
    }

    @Test func `drops and restarts that follow each other are one event`() async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 10))
        for number: Int64 in 100..<150 { _ = await store.append(OpenSteps.step(number)) }
        for number: Int64 in 0..<7 {
            let outcome = await store.append(OpenSteps.step(number))
            #expect(!outcome.step.kept && outcome.reason == .belowKeptSteps)
            #expect(await store.append(OpenSteps.step(150 + number)).reason == nil)
        }
        let events = try #require(await store.describe("r")).details.events
        #expect(events.count == 2)
        guard case .stepsDropped(146, 47, .stepLimit) = events[0].kind, case .restarted(0, 7) = events[1].kind else {
            Issue.record("\(events)")
            return
        }
    }

    @Test func `a step that was dropped for memory at once is not kept`() async throws {
        let store = MemoryStore(limits: StoreLimits(memory: 40_000))
        for number: Int64 in 100..<400 { _ = await store.append(OpenSteps.step(number, scalars: ["a"])) }
        let dropped = try #require(await store.describe("r"))
        #expect(dropped.stepCount < 300)
        let late = await store.append(OpenSteps.step(1, scalars: ["a"]))
        #expect(!late.step.kept && late.reason == .memory && late.seq == 301)
        #expect(late.reason?.name == "memory")
        guard case .stepsDropped(_, let count, .memoryLimit) = dropped.details.events.last?.kind else {
            Issue.record("no event")
            return
        }
        #expect(count == 300 - dropped.stepCount)
    }

    @Test func `a run is silent after ten times its usual interval`() async throws {
        let time = Locked<Int64>(1_000_000_000)
        let store = MemoryStore(limits: StoreLimits()) { UTCTime(microseconds: time.withLock { $0 }) }
        func wait(_ seconds: Int64) { time.withLock { $0 += seconds * 1_000_000 } }
        func isSilent() async throws -> Bool { try #require(await store.describe("r")).isSilent }
        for number: Int64 in 0..<5 {
            _ = await store.append(OpenSteps.step(number))
            wait(20)
        }
        // Four intervals are too few: the usual interval is taken as a minute.
        wait(570)
        #expect(try await isSilent() == false)
        #expect(await store.noteSilence().isEmpty)
        wait(20)
        #expect(try await isSilent())
        #expect(kinds(await store.noteSilence()) == ["7 run"])
        #expect(await store.noteSilence().isEmpty)
        // A name does not show that the training is alive; a heartbeat does.
        #expect(kinds(try await store.put(#"{"name":"n"}"#).events) == ["8 run"])
        #expect(try await isSilent())
        #expect(kinds(try await store.put("{}").events) == ["9 run"])
        #expect(try await isSilent() == false)
        // Now most intervals are 20 seconds.
        for number: Int64 in 5..<10 {
            _ = await store.append(OpenSteps.step(number))
            wait(20)
        }
        wait(175)
        #expect(try await isSilent() == false)
        wait(10)
        #expect(try await isSilent())
        #expect(kinds(await store.noteSilence()) == ["15 run"])
        #expect(kinds(await store.append(OpenSteps.step(10)).events).sorted() == ["16 stored", "17 run"])
        wait(10_000)
        _ = try await store.put(#"{"state":"failed"}"#)
        wait(10_000)
        #expect(try await isSilent() == false)
        #expect(await store.noteSilence().isEmpty)
    }

    @Test func `a run with fast steps is not silent before half a minute`() async throws {
        let time = Locked<Int64>(1_000_000_000)
        let store = MemoryStore(limits: StoreLimits()) { UTCTime(microseconds: time.withLock { $0 }) }
        for number: Int64 in 0..<30 {
            _ = await store.append(OpenSteps.step(number))
            time.withLock { $0 += 1000 }
        }
        time.withLock { $0 += 29_000_000 }
        #expect(try #require(await store.describe("r")).isSilent == false)
        time.withLock { $0 += 2_000_000 }
        #expect(try #require(await store.describe("r")).isSilent)
    }

    @Test func `an alert is numbered in its run`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        _ = await store.append(OpenSteps.step(3))
        var alert = PostedAlert()
        alert.title = Array("t".utf8)
        alert.level = .critical
        alert.step = 3
        #expect(await store.note(alert, of: "s") == nil)
        for number: UInt64 in 1...2 {
            let events = try #require(await store.note(alert, of: "r")).events
            guard case .alert(let posted) = events.first else {
                Issue.record("\(events)")
                return
            }
            #expect((posted.alert.id, posted.sequence, posted.alert.lastSeq) == (number, number + 2, 1))
            var writer = JSONWriter()
            AlertEncoder("r", link: .none).append(posted.alert, to: &writer)
            let json = String(decoding: writer.bytes, as: UTF8.self)
            let head = #"{"id":"\#(number)","run_id":"r","episode":"\#(number)","source":"trainer","rule":null,"#
            #expect(json.hasPrefix(head))
            #expect(json.contains(#""severity":"critical","state":"closed","first_step":3,"opened_step":3,"#))
            #expect(json.contains(#""title":"t","message":null,"#))
        }
    }
}
