import Foundations

/// The runs by id, in order of creation and in order of their last update.
///
/// Every operation but `compactMap` takes constant time: there may be 100 000 runs, and each new one evicts another.
struct RunTable {
    /// The index of a run while it is held. Later runs reuse the slots of removed ones.
    typealias Slot = Int

    private var slots: [RunID: Int32] = [:]
    private var ids: [RunID] = []
    private var runs: [Run] = []
    private var free: [Int32] = []
    private var creation = LinkedOrder()
    private var updates = LinkedOrder()

    /// The number of runs.
    var count: Int { slots.count }

    /// The slot of a run; `nil` if it is not held.
    func slot(of id: RunID) -> Slot? { slots[id].map(Int.init) }

    /// A run; `nil` if it is not held.
    subscript(id: RunID) -> Run? { slots[id].map { runs[Int($0)] } }

    /// The run in a slot, without a copy.
    subscript(slot: Slot) -> Run { _read { yield runs[slot] } }

    /// Adds a run that is not held, at the end of both orders.
    mutating func add(_ run: Run, id: RunID) -> Slot {
        let slot: Slot
        if let reused = free.popLast() {
            slot = Int(reused)
            ids[slot] = id
            runs[slot] = run
        } else {
            slot = runs.count
            ids.append(id)
            runs.append(run)
        }
        slots[id] = Int32(slot)
        creation.append(slot)
        updates.append(slot)
        return slot
    }

    /// Changes a run and moves it to the end of the order of updates.
    mutating func update<Result>(_ slot: Slot, _ body: (inout Run) -> Result) -> Result {
        updates.remove(slot)
        updates.append(slot)
        return body(&runs[slot])
    }

    /// Changes a run without moving it in the order of updates.
    mutating func change<Result>(_ slot: Slot, _ body: (inout Run) -> Result) -> Result { body(&runs[slot]) }

    /// Removes and returns a run; `nil` if it is not held.
    mutating func remove(_ id: RunID) -> Run? {
        guard let slot = slots.removeValue(forKey: id).map(Int.init) else { return nil }
        let run = runs[slot]
        creation.remove(slot)
        updates.remove(slot)
        ids[slot] = ""
        runs[slot] = Run(createdAt: run.createdAt)
        free.append(Int32(slot))
        return run
    }

    /// Removes and returns the least recently updated run; `nil` if there is none.
    mutating func removeOldest() -> (id: RunID, run: Run)? {
        guard let id = updates.first.map({ ids[$0] }), let run = remove(id) else { return nil }
        return (id, run)
    }

    /// The size of a run without its steps and its texts, in bytes: its entries in the tables, which may have twice the
    /// capacity that they need, and its id.
    static func memory(of id: RunID) -> Int { 256 + 2 * MemoryLayout<Run>.stride + id.byteCount }

    /// The number of slots, with and without a run.
    var slotCount: Int { runs.count }

    /// The next slot in a round of all slots, also of those without a run.
    func slot(after slot: Slot) -> Slot { slot + 1 < runs.count ? slot + 1 : 0 }

    /// A run in the order of updates.
    struct UpdatePosition: Sendable {
        let slot: Slot
        let id: RunID
        let lastUpdate: UTCTime
    }

    /// The next runs in the order of updates, the last updated one first.
    ///
    /// - Parameters:
    ///   - time: runs that were updated at this time or later are left out; `nil` for none.
    ///   - position: the last run of an earlier call; `nil` to begin.
    ///   - limit: the largest number of runs.
    /// - Returns: the runs.
    func updatedLast(before time: UTCTime?, after position: UpdatePosition?, limit: Int) -> [UpdatePosition] {
        var next: Slot?
        if let position, slots[position.id] == Int32(position.slot),
            runs[position.slot].lastUpdate == position.lastUpdate
        {
            next = updates.previous(before: position.slot)
        } else {
            // The beginning, or the run has moved or was removed.
            let bound = position?.lastUpdate ?? time
            next = updates.last
            while let slot = next, let bound, runs[slot].lastUpdate >= bound { next = updates.previous(before: slot) }
        }
        var found: [UpdatePosition] = []
        found.reserveCapacity(min(limit, count))
        while let slot = next, found.count < limit {
            found.append(UpdatePosition(slot: slot, id: ids[slot], lastUpdate: runs[slot].lastUpdate))
            next = updates.previous(before: slot)
        }
        return found
    }

    /// What clients report about a held run.
    func info(of slot: Slot) -> RunInfo { runs[slot].details.info }

    /// Visits the slots of the runs, in order of creation.
    func forEachSlot(_ visit: (Slot) -> Void) {
        var slot = creation.first
        while let current = slot {
            visit(current)
            slot = creation.next(after: current)
        }
    }

    /// The id of a held run.
    func id(of slot: Slot) -> RunID { ids[slot] }

    /// Transforms all runs, in order of creation, and leaves out those for which the result is `nil`.
    func compactMap<Element>(_ transform: (RunID, Run) -> Element?) -> [Element] {
        var elements: [Element] = []
        elements.reserveCapacity(count)
        var slot = creation.first
        while let current = slot {
            if let element = transform(ids[current], runs[current]) { elements.append(element) }
            slot = creation.next(after: current)
        }
        return elements
    }
}
