/// A binary tree over the numbers of a run's kept steps, with summaries of the steps below its nodes.
///
/// A node covers the step numbers that share `step >> level`, for the least such level. A leaf has at most 32 steps; a
/// branch has two children that differ in bit `level - 1`, so a node never has an only child, and the depth is at most
/// the number of bits. Nodes are immutable: a change copies the nodes on the way from the root, and snapshots share the
/// others.
///
/// The highest steps have no summaries: they are built when a higher step begins another node, once for each node. A
/// late step removes the summaries on its way from the root: `RunSeries` renews them as posted numbers pay for it.
final class SeriesTreeNode: Sendable {
    /// The number of steps from which a leaf is divided.
    static let leafCapacity = 32
    /// The least ratio of the numbers of the steps to those of a summary: below it the steps themselves are read.
    static let leastRatio = 16

    /// The lowest and the highest step.
    let first: Int64
    let last: Int64
    /// The steps of a leaf, ascending; empty for a branch.
    let steps: [Int64]
    /// The children of a branch.
    let children: Children?
    /// The summary of all steps; `nil` where there is none.
    let numbers: SeriesNumbers?
    /// The number of numbers of all steps.
    let valueCount: Int
    /// Whether a late step removed the summary of a leaf here or below, and it was not renewed yet.
    let isStale: Bool
    /// The bytes of the summaries in this node and below it.
    let numbersMemory: Int
    /// The bytes of the nodes.
    let nodesMemory: Int

    struct Children: Sendable {
        let low: SeriesTreeNode
        let high: SeriesTreeNode
    }

    /// A leaf.
    init(_ steps: [Int64], valueCount: Int, numbers: SeriesNumbers?, isStale: Bool) {
        first = steps[0]
        last = steps[steps.count - 1]
        self.steps = steps
        children = nil
        self.numbers = numbers
        self.valueCount = valueCount
        self.isStale = isStale
        numbersMemory = numbers?.memory ?? 0
        nodesMemory = 144 + steps.heapBytes
    }

    /// A branch.
    init(_ low: SeriesTreeNode, _ high: SeriesTreeNode, numbers: SeriesNumbers?) {
        first = low.first
        last = high.last
        steps = []
        children = Children(low: low, high: high)
        self.numbers = numbers
        valueCount = low.valueCount + high.valueCount
        isStale = low.isStale || high.isStale
        numbersMemory = low.numbersMemory + high.numbersMemory + (numbers?.memory ?? 0)
        nodesMemory = low.nodesMemory + high.nodesMemory + 144
    }

    /// The least level for which all steps share `step >> level`.
    var level: Int { Self.level(first, last) }

    /// The least level for which two steps, and all between them, share `step >> level`.
    static func level(_ first: Int64, _ last: Int64) -> Int { 64 - (first ^ last).leadingZeroBitCount }
}
