import Foundations

/// The names that the next step of v1 probably has: those of the last one that had others, of any run. A decoder that
/// finds the same names shares their arrays instead of making new ones.
package final class LikelyNames: Sendable {
    /// Longer names are not kept: they would take memory for as long as no others come.
    private static let maximumSize = 4096

    private let names = Locked<ColumnLayout?>(nil)

    /// No names yet.
    package init() {}

    /// The names; `nil` if there was no step yet.
    package var current: ColumnLayout? { names.withLock { $0 } }

    /// Takes the names of a stored step.
    package func note(_ record: StepRecord) {
        let layout = record.columns.layout
        if layout.text.count > Self.maximumSize { return }
        // Equal names usually share their arrays, so that comparing them is quick.
        names.withLock { if $0 != layout { $0 = layout } }
    }
}
