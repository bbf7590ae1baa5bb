import Testing
import Foundations

@testable import MonitorCore

/// Compares the two orders of the runs with arrays.
@Suite struct RunTableTests {
    @Test func `both orders equal those of arrays`() {
        var random = SystemRandomNumberGenerator()
        var table = RunTable()
        var creation: [RunID] = []
        var change: [RunID] = []
        var last: Int64 = 0
        func forget(_ id: RunID) {
            creation.removeAll { $0 == id }
            change.removeAll { $0 == id }
        }
        for _ in 0..<5000 {
            last += 1
            let id: RunID = "\(Int.random(in: 0..<60, using: &random))"
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                #expect((table.remove(id) != nil) == creation.contains(id))
                forget(id)
            case 1:
                let oldest = change.first
                #expect(table.removeOldest()?.id == oldest)
                if let oldest { forget(oldest) }
            default:
                let now = UTCTime(microseconds: last)
                let slot = table.slot(of: id) ?? table.add(Run(createdAt: now), id: id)
                table.update(slot) { $0.lastUpdate = now }
                if !creation.contains(id) { creation.append(id) }
                change.removeAll { $0 == id }
                change.append(id)
                #expect(table[id]?.lastUpdate == now)
            }
            #expect(table.count == creation.count)
            let held = table.compactMap { (id: $0, lastUpdate: $1.lastUpdate) }
            #expect(held.map(\.id) == creation)
            #expect(held.sorted { $0.lastUpdate < $1.lastUpdate }.map(\.id) == change)
        }
    }

    @Test func `a removed run frees its slot and its steps`() throws {
        var table = RunTable()
        let first = table.add(Run(createdAt: UTCTime(microseconds: 1)), id: "a")
        weak var held: StepRecord?
        table.update(first) { run in
            let record = run.record(Payloads.step(1))
            held = record
            _ = run.keep(record, limit: 10)
        }
        #expect(held != nil)
        #expect(table.removeOldest()?.run.steps.count == 1)
        #expect(held == nil)
        #expect(table.removeOldest() == nil)
        // The number of slots equals the maximum number of simultaneous runs, regardless of how many are added and
        // removed.
        for number in 0..<100 {
            #expect(table.add(Run(createdAt: UTCTime(microseconds: 2)), id: "\(number)") == first)
            #expect(table.remove("\(number)")?.steps.count == 0)
        }
    }
}
