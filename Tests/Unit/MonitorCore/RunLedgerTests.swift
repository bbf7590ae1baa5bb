import Testing

@testable import MonitorCore

/// What snapshots keep alive after the store has removed it.
@Suite struct RunLedgerTests {
    private let layers = (0..<50).map { Payloads.layer(id: "layer.\($0)", depth: "\($0)") }

    private func post(_ steps: Range<Int>, to store: MemoryStore) async {
        for step in steps { _ = await store.append(Payloads.step(step, layers: layers)) }
    }

    @Test func `a snapshot keeps nothing alive that the store holds`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        await post(0..<20, to: store)
        let id = try #require(await store.listing().runs.first?.id)
        let snapshot = try #require(await store.snapshot(of: id))
        #expect(store.retainedMemory == 0 && snapshot.retained?() == 0)
        // New steps are not in the snapshot.
        await post(20..<30, to: store)
        #expect(store.retainedMemory == 0)
        withExtendedLifetime(snapshot) {}
    }

    @Test func `replaced steps count once, however many snapshots contain them, until the last one ends`() async throws
    {
        let store = MemoryStore(limits: StoreLimits())
        await post(0..<10, to: store)
        let id = try #require(await store.listing().runs.first?.id)
        var snapshots = [await store.snapshot(of: id), await store.snapshot(of: id)]
        let step = try #require(await store.latest(of: id)).memory
        await post(0..<4, to: store)
        #expect(store.retainedMemory == 4 * step)
        #expect(snapshots[0]?.retained?() == 4 * step)
        snapshots[0] = nil
        #expect(store.retainedMemory == 4 * step)
        // The second version of these steps is in no snapshot.
        await post(0..<4, to: store)
        #expect(store.retainedMemory == 4 * step)
        snapshots[1] = nil
        #expect(store.retainedMemory == 0)
    }

    @Test func `a removed run counts whole, with its tables, while a snapshot of it exists`() async throws {
        let store = MemoryStore(limits: StoreLimits())
        await post(0..<10, to: store)
        let id = try #require(await store.listing().runs.first?.id)
        // What the run holds besides its steps is freed with it.
        let details = try #require(await store.describe(id)).details.heapBytes
        var snapshot = await store.snapshot(of: id)
        let series = try #require(snapshot?.series?.series).overhead
        let held = await store.memoryInUse - RunTable.memory(of: id) - details - series
        _ = await store.remove(id)
        #expect(await store.memoryInUse == 0)
        #expect(store.retainedMemory == held)
        // A new run with the same id is another run.
        await post(0..<2, to: store)
        #expect(store.retainedMemory == held)
        snapshot = nil
        _ = snapshot
        #expect(store.retainedMemory == 0)
    }
}
