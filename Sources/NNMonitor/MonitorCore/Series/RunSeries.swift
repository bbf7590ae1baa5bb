/// The summaries of a run's steps: a tree over those that are kept, and buckets of those that are not.
struct RunSeries: Sendable {
    /// The tree over the kept steps below `tail`; `nil` if there are none.
    private(set) var root: SeriesTreeNode?
    /// The highest kept steps, ascending. They enter the tree in groups.
    private(set) var tail: [Int64] = []
    /// The steps that are not kept.
    private(set) var archive = SeriesArchive()
    /// The number of steps that enter the tree at once.
    private static let groupSize = SeriesTreeNode.leafCapacity
    /// The cost of summaries that were removed for late steps and may be renewed now; negative after a large one.
    private var credit = 0
    /// The lowest step whose summaries are looked at next for a renewal.
    private var nextRenewal: Int64 = 0
    /// What each step and each of its numbers add to `credit`: so a small step cannot cause more work than a small part
    /// of what its request costs, whatever the size of its neighbours.
    private static let creditOfStep = 4096
    private static let creditOfNumber = 8

    /// The bytes of the summaries, which the run's ledger counts as well.
    var numbersMemory: Int { (root?.numbersMemory ?? 0) + archive.numbersMemory }

    /// The bytes of everything else.
    var overhead: Int { (root?.nodesMemory ?? 0) + tail.heapBytes + archive.overhead }

    /// The highest step of which only buckets are kept; `nil` if there is none.
    var archivedThrough: Int64? { archive.last }

    /// The bytes that a copy uses beside the summaries: changes after the copy are made in new lists.
    var memoryOfCopy: Int { tail.heapBytes + archive.memoryOfCopy }

    /// Adds a kept step, or one that replaces a kept one.
    ///
    /// - Parameters:
    ///   - record: the step.
    ///   - records: the kept steps, with this one.
    ///   - ledger: counts new summaries.
    mutating func add(_ record: StepRecord, _ records: StepSequence, ledger: RunLedger?) {
        if let root, record.step <= root.last {
            var editor = SeriesTreeEditor(records: records, ledger: ledger, addsLateSteps: true)
            self.root = editor.insert([record.step], into: root, isOpen: true)
        } else {
            append(record.step, records, ledger)
        }
        if credit < 0 || root?.isStale == true { renew(record.numbers.count, records, ledger) }
    }

    /// Renews summaries that were removed for late steps, one leaf after the other, as far as the credit allows.
    private mutating func renew(_ posted: Int, _ records: StepSequence, _ ledger: RunLedger?) {
        credit += Self.creditOfStep + Self.creditOfNumber * posted
        while credit > 0, let root, root.isStale {
            var editor = SeriesTreeEditor(records: records, ledger: ledger)
            guard let renewed = editor.renew(from: nextRenewal, in: root, isOpen: true) else {
                nextRenewal = 0
                continue
            }
            self.root = renewed.node
            nextRenewal = renewed.last + 1
            credit -= editor.cost
        }
        // Credit is not saved up.
        credit = min(credit, 0)
    }

    private mutating func append(_ step: Int64, _ records: StepSequence, _ ledger: RunLedger?) {
        let place = tail.last.map { $0 < step } != false ? tail.count : tail.firstIndex { $0 >= step } ?? tail.count
        if place < tail.count, tail[place] == step { return }
        tail.insert(step, at: place)
        guard tail.count >= 2 * Self.groupSize else { return }
        if let lowest = records.first?.step { removeNodes(below: lowest, records, ledger) }
        insert(tail[..<Self.groupSize], records, ledger)
        tail.removeFirst(Self.groupSize)
    }

    private mutating func insert(_ steps: ArraySlice<Int64>, _ records: StepSequence, _ ledger: RunLedger?) {
        var editor = SeriesTreeEditor(records: records, ledger: ledger)
        root = editor.insert(steps, into: root, isOpen: true)
    }

    /// Removes the nodes that have no kept step.
    private mutating func removeNodes(below lowest: Int64, _ records: StepSequence, _ ledger: RunLedger?) {
        var editor = SeriesTreeEditor(records: records, ledger: ledger)
        root = root.flatMap { editor.removing(below: lowest, from: $0) }
    }

    /// Adds a step that was dropped, or was never kept, to its bucket.
    ///
    /// - Parameters:
    ///   - record: the step.
    ///   - records: the kept steps, without this one.
    ///   - ledger: counts new summaries.
    mutating func archive(_ record: StepRecord, _ records: StepSequence, ledger: RunLedger?) {
        archive.add(record, ledger: ledger)
        while let lowest = tail.first, lowest <= record.step { tail.removeFirst() }
        // Steps are dropped in ascending order; the other nodes without kept steps are removed in groups.
        if let root, root.last <= record.step { self.root = nil }
    }

    /// The bytes of the buckets of steps that are not kept.
    var archiveMemory: Int { archive.numbersMemory + archive.overhead }

    /// Frees memory of the buckets of steps that are not kept: merges two of them, or drops the only one.
    mutating func shrinkArchive(ledger: RunLedger?) {
        if !archive.mergePair(ledger) { archive.removeAll() }
    }

    /// Removes the steps from a number on.
    ///
    /// - Parameters:
    ///   - step: the number.
    ///   - records: the kept steps, without them.
    ///   - ledger: counts new summaries.
    mutating func removeAll(from step: Int64, _ records: StepSequence, ledger: RunLedger?) {
        tail.removeAll { $0 >= step }
        archive.removeAll(from: step, ledger: ledger)
        var editor = SeriesTreeEditor(records: records, ledger: ledger)
        if let lowest = records.first?.step {
            root = root.flatMap { editor.removing(below: lowest, from: $0) }
            root = root.flatMap { editor.removing(from: step, in: $0) }
        } else {
            root = nil
        }
    }
}

/// The summaries of a run and its kept steps, as they were at one time.
struct SeriesSnapshot: Sendable {
    let series: RunSeries
    let records: StepSequence
}
