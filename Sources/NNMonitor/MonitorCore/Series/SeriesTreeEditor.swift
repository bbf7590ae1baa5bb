/// Changes a tree of steps.
struct SeriesTreeEditor {
    /// The kept steps of the run.
    let records: StepSequence
    /// Counts new summaries.
    let ledger: RunLedger?
    /// The number of numbers that were read for summaries, and a share for each step or summary.
    private(set) var cost = 0
    /// The share of a step or summary in `cost`.
    private static let sourceCost = 16
    /// Whether the leaf of an added step loses its summary instead of getting a new one.
    private let addsLateSteps: Bool

    /// - Parameters:
    ///   - records: the kept steps of the run.
    ///   - ledger: counts new summaries.
    ///   - addsLateSteps: whether the leaf of an added step loses its summary instead of getting a new one.
    init(records: StepSequence, ledger: RunLedger?, addsLateSteps: Bool = false) {
        self.records = records
        self.ledger = ledger
        self.addsLateSteps = addsLateSteps
    }

    /// Adds steps, or replaces those that are in the tree already.
    ///
    /// - Parameters:
    ///   - steps: the steps, ascending.
    ///   - node: the tree; `nil` for none.
    ///   - isOpen: whether the node has the highest steps, and therefore no summary.
    /// - Returns: the new tree.
    mutating func insert(_ steps: ArraySlice<Int64>, into node: SeriesTreeNode?, isOpen: Bool) -> SeriesTreeNode {
        guard let node else { return build(steps, isOpen: isOpen) }
        guard let low = steps.first, let high = steps.last else { return isOpen ? node : complete(node) }
        let level = SeriesTreeNode.level(min(low, node.first), max(high, node.last))
        guard let children = node.children else {
            let merged = Self.merge(node.steps, steps)
            return build(merged[...], isOpen: isOpen)
        }
        let border = (max(high, node.last) >> (level - 1)) << (level - 1)
        let split = steps.firstIndex { $0 >= border } ?? steps.endIndex
        let (below, above) = (steps[..<split], steps[split...])
        let lowChild: SeriesTreeNode
        let highChild: SeriesTreeNode
        if level > node.level {
            // All steps of the node are on one side of the border.
            if node.first >= border {
                lowChild = build(below, isOpen: false)
                highChild = insert(above, into: node, isOpen: isOpen)
            } else {
                lowChild = insert(below, into: node, isOpen: false)
                highChild = build(above, isOpen: isOpen)
            }
        } else {
            lowChild = insert(below, into: children.low, isOpen: false)
            highChild = insert(above, into: children.high, isOpen: isOpen)
        }
        return branch(lowChild, highChild, isOpen: isOpen)
    }

    /// Builds a tree of steps.
    private mutating func build(_ steps: ArraySlice<Int64>, isOpen: Bool) -> SeriesTreeNode {
        let (low, high) = (steps[steps.startIndex], steps[steps.endIndex - 1])
        if steps.count <= SeriesTreeNode.leafCapacity { return leaf(Array(steps), isOpen: isOpen) }
        let level = SeriesTreeNode.level(low, high)
        let border = (high >> (level - 1)) << (level - 1)
        let split = steps.firstIndex { $0 >= border } ?? steps.endIndex
        return branch(
            build(steps[..<split], isOpen: false), build(steps[split...], isOpen: isOpen), isOpen: isOpen)
    }

    private mutating func leaf(_ steps: [Int64], isOpen: Bool) -> SeriesTreeNode {
        let found = records.records(in: steps[0]...steps[steps.count - 1])
        let valueCount = found.reduce(0) { $0 + SeriesTables($1).count }
        let isStale = addsLateSteps && !isOpen
        let hasSummary = !isOpen && !isStale
        let numbers = hasSummary ? summary(of: found.map { .step($0) }, valueCount: valueCount) : nil
        return SeriesTreeNode(steps, valueCount: valueCount, numbers: numbers, isStale: isStale)
    }

    /// A leaf without a summary.
    private mutating func openLeaf(_ steps: ArraySlice<Int64>) -> SeriesTreeNode { leaf(Array(steps), isOpen: true) }

    private mutating func branch(_ low: SeriesTreeNode, _ high: SeriesTreeNode, isOpen: Bool) -> SeriesTreeNode {
        // Where a summary below is out of date, this one is built when that is renewed.
        guard !isOpen, !low.isStale, !high.isStale else { return SeriesTreeNode(low, high, numbers: nil) }
        var sources: [SeriesTreeSource] = []
        addSources(of: low, to: &sources)
        addSources(of: high, to: &sources)
        let numbers = summary(of: sources, valueCount: low.valueCount + high.valueCount)
        return SeriesTreeNode(low, high, numbers: numbers)
    }

    /// Adds the summaries that the node has for no longer being the highest.
    private mutating func complete(_ node: SeriesTreeNode) -> SeriesTreeNode {
        // A node without a summary that is complete has too few numbers for one. To look again costs little.
        guard node.numbers == nil else { return node }
        guard let children = node.children else { return node.isStale ? node : leaf(node.steps, isOpen: false) }
        let high = complete(children.high)
        return branch(children.low, high, isOpen: false)
    }

    /// Renews the summary of the first leaf that has a step at or above a number and whose summary is out of date, and
    /// the summaries above it.
    ///
    /// - Parameters:
    ///   - step: the number.
    ///   - node: the tree.
    ///   - isOpen: whether the node has the highest steps, and therefore no summary.
    /// - Returns: the new tree and the last step of the leaf; `nil` if there is no such leaf.
    mutating func renew(from step: Int64, in node: SeriesTreeNode, isOpen: Bool) -> (node: SeriesTreeNode, last: Int64)?
    {
        guard node.isStale, node.last >= step else { return nil }
        guard let children = node.children else { return (leaf(node.steps, isOpen: isOpen), node.last) }
        if let low = renew(from: step, in: children.low, isOpen: false) {
            return (branch(low.node, children.high, isOpen: isOpen), low.last)
        }
        return renew(from: step, in: children.high, isOpen: isOpen).map { high in
            (branch(children.low, high.node, isOpen: isOpen), high.last)
        }
    }

    /// What a summary is made of.
    private enum SeriesTreeSource {
        case step(StepRecord)
        case numbers(SeriesNumbers, highest: Int64)

        var tables: SeriesTables {
            switch self {
            case .step(let record): SeriesTables(record)
            case .numbers(let numbers, _): SeriesTables(numbers)
            }
        }
    }

    private func addSources(of node: SeriesTreeNode, to sources: inout [SeriesTreeSource]) {
        if let numbers = node.numbers {
            sources.append(.numbers(numbers, highest: node.last))
        } else if let children = node.children {
            addSources(of: children.low, to: &sources)
            addSources(of: children.high, to: &sources)
        } else {
            sources += records.records(in: node.first...node.last).map { .step($0) }
        }
    }

    /// The summary of steps; `nil` if it would not be much smaller than they are.
    private mutating func summary(of sources: [SeriesTreeSource], valueCount: Int) -> SeriesNumbers? {
        cost += sources.count * Self.sourceCost
        guard var tables = sources.last?.tables, tables.count * SeriesTreeNode.leastRatio <= valueCount else {
            return nil
        }
        var covered: Set<SeriesTables> = []
        for source in sources.reversed() {
            let others = source.tables
            guard others != tables, covered.insert(others).inserted else { continue }
            cost += others.count
            tables = tables.union(others, ledger: nil)
            if tables.count * SeriesTreeNode.leastRatio > valueCount { return nil }
        }
        var accumulator = SeriesAccumulator(tables, recordsLastSteps: false)
        for source in sources {
            cost += source.tables.count
            switch source {
            case .step(let record): accumulator.add(record)
            case .numbers(let numbers, let highest): accumulator.add(numbers, highest: highest)
            }
        }
        return SeriesNumbers(accumulator, ledger: ledger)
    }

    /// Removes the nodes all of whose steps are below a step. The summaries of nodes that have such steps go as well.
    mutating func removing(below step: Int64, from node: SeriesTreeNode) -> SeriesTreeNode? {
        if node.last < step { return nil }
        if node.first >= step { return node }
        guard let children = node.children else {
            return openLeaf(node.steps.drop { $0 < step })
        }
        guard let low = removing(below: step, from: children.low) else {
            return removing(below: step, from: children.high)
        }
        return SeriesTreeNode(low, children.high, numbers: nil)
    }

    /// Removes the steps from a number on. The node then has the highest steps, and no summary.
    mutating func removing(from step: Int64, in node: SeriesTreeNode) -> SeriesTreeNode? {
        if node.first >= step { return nil }
        guard let children = node.children else {
            return openLeaf(node.steps.prefix { $0 < step })
        }
        guard let high = removing(from: step, in: children.high) else {
            return removing(from: step, in: children.low)
        }
        return SeriesTreeNode(children.low, high, numbers: nil)
    }

    /// Two ascending lists as one, each step once.
    private static func merge(_ left: [Int64], _ right: ArraySlice<Int64>) -> [Int64] {
        var merged: [Int64] = []
        merged.reserveCapacity(left.count + right.count)
        var rest = left[...]
        for step in right {
            while let next = rest.first, next < step { merged.append(rest.removeFirst()) }
            if rest.first == step { rest.removeFirst() }
            merged.append(step)
        }
        return merged + rest
    }
}
