import Synchronization

/// Identifies what a step's `layers` contain, as long as the process runs.
package struct StructureID: Sendable, Hashable {
    /// `LayerTable.number`
    let layers: UInt64
    /// `ShapeTable.number`
    let shapes: UInt64

    /// The identifier as a client sees it.
    package var text: String { "\(layers).\(shapes)" }

    private static let lastNumber = Atomic<UInt64>(0)

    /// A number for a new table: no other table has it.
    static func newNumber() -> UInt64 { lastNumber.add(1, ordering: .relaxed).newValue }
}
