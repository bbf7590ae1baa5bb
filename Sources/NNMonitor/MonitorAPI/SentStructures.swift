import MonitorCore

/// The structures whose layers a connection has been sent, at most a fixed number. Beyond it all are forgotten; the
/// layers are then sent again when a step needs them.
struct SentStructures: Sendable {
    private static let maximum = 1024

    private(set) var ids: Set<StructureID> = []

    /// Notes a structure.
    ///
    /// - Returns: whether its layers must be sent.
    mutating func insert(_ id: StructureID) -> Bool {
        if ids.count >= Self.maximum && !ids.contains(id) { ids.removeAll() }
        return ids.insert(id).inserted
    }
}
