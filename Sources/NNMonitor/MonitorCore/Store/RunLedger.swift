import Synchronization

/// The bytes of a run's steps and tables that exist in the process, held by the store or only by snapshots.
///
/// Steps and tables add themselves when they are made and subtract themselves when they are freed, so one that several
/// snapshots share counts once. `MemoryStore` knows which of them it holds; the rest is kept alive by snapshots.
package final class RunLedger: Sendable {
    private let live = Atomic<Int>(0)
    private let stored = Atomic<Int>(0)
    private let total: StoreLedger

    /// - Parameter total: the ledger of the store, which counts the same bytes.
    init(total: StoreLedger) { self.total = total }

    /// Counts a step or a table that was made.
    func add(_ bytes: Int) {
        live.add(bytes, ordering: .relaxed)
        total.live.add(bytes, ordering: .relaxed)
    }

    /// Counts a step or a table that is freed.
    func subtract(_ bytes: Int) {
        live.subtract(bytes, ordering: .relaxed)
        total.live.subtract(bytes, ordering: .relaxed)
    }

    /// Records the bytes that the store holds of this run.
    func setStored(_ bytes: Int) {
        let before = stored.exchange(bytes, ordering: .relaxed)
        total.stored.add(bytes - before, ordering: .relaxed)
    }

    /// The bytes of this run that the store has removed and snapshots keep alive.
    package var retained: Int { max(0, live.load(ordering: .relaxed) - stored.load(ordering: .relaxed)) }
}

/// The bytes of all runs of a store: the sum of their `RunLedger`s.
package final class StoreLedger: Sendable {
    fileprivate let live = Atomic<Int>(0)
    fileprivate let stored = Atomic<Int>(0)

    init() {}

    /// The bytes that the store has removed and snapshots keep alive. While a step is being stored, it may be included.
    package var retained: Int { max(0, live.load(ordering: .relaxed) - stored.load(ordering: .relaxed)) }
}
