import Foundations
import Testing

@testable import MonitorCore

/// The listing of runs by filters, of which the store's actor reads a bounded part at once.
@Suite struct RunListingTests {
    private func store(runs: Int) async throws -> MemoryStore {
        let store = MemoryStore(limits: StoreLimits(runs: 100_000))
        for number in 0..<runs {
            _ = try await store.put(#"{"project":"p\#(number % 3)","name":"run \#(number)"}"#, "r\(number)")
        }
        return store
    }

    /// The ids of all parts of a listing.
    private func ids(_ store: MemoryStore, _ filter: RunFilter) async -> [RunID] {
        var filter = filter
        var found: [RunID] = []
        repeat {
            let page = await store.runs(matching: filter)
            #expect(page.runs.count <= filter.limit)
            found += page.runs.map(\.id)
            filter.before = page.next
        } while filter.before != nil
        return found
    }

    @Test(arguments: [0, 1, 255, 256, 257, 1000]) func `a listing has every run that matches, once and in order`(
        count: Int
    ) async throws {
        let store = try await store(runs: count)
        let all = (0..<count).reversed()
        for limit in [1, 100, 256, 1000] where limit * 40 >= count {
            var filter = RunFilter()
            filter.limit = limit
            #expect(await ids(store, filter) == all.map { RunID("r\($0)") })
            filter.project = "p1"
            #expect(await ids(store, filter) == all.filter { $0 % 3 == 1 }.map { RunID("r\($0)") })
            filter.text = "N 9"
            #expect(
                await ids(store, filter) == all.filter { $0 % 3 == 1 && "\($0)".hasPrefix("9") }.map { RunID("r\($0)") }
            )
        }
    }

    @Test func `the actor looks at a bounded number of runs at once`() async throws {
        let store = try await store(runs: 1000)
        var filter = RunFilter()
        filter.text = "x"
        filter.limit = 1000
        var position: RunTable.UpdatePosition?
        var looked: [Int] = []
        repeat {
            let part = await store.candidates(filter, after: position)
            looked.append(part.candidates.count)
            position = part.last
        } while position != nil
        #expect(looked == [256, 256, 256, 232])
    }

    @Test func `runs that are removed or updated between two parts shift no others`() async throws {
        let store = try await store(runs: 600)
        let filter = RunFilter()
        let first = await store.candidates(filter, after: nil)
        let last = try #require(first.last)
        #expect(last.id == "r344")
        // The next part begins where the last run was, also when it has moved, or another run has its slot.
        _ = try await store.put("{}", "r344")
        #expect(await store.candidates(filter, after: last).candidates.first?.position.id == "r343")
        _ = await store.remove("r344")
        _ = try await store.put("{}", "new")
        #expect(await store.candidates(filter, after: last).candidates.first?.position.id == "r343")
    }
}
