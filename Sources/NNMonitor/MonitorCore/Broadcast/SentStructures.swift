/// The structures whose layers a connection has been sent, at most a fixed number. Beyond it all are forgotten; the
/// layers are then sent again when a step needs them.
package struct SentStructures: Sendable {
    private static let maximum = 1024

    /// Their identifiers.
    package private(set) var ids: Set<StructureID> = []

    /// None.
    package init() {}

    /// Notes a structure.
    ///
    /// - Returns: whether its layers must be sent.
    package mutating func insert(_ id: StructureID) -> Bool {
        if ids.count >= Self.maximum && !ids.contains(id) { ids.removeAll() }
        return ids.insert(id).inserted
    }
}
