/// The depth and the number of parameters of a run's layers, as they were posted last.
struct RunLayers: Sendable {
    private let ids: NameTable
    private let attributes: [(depth: Int64, parameterCount: Int64?)]

    init(_ snapshot: RunSnapshot) {
        ids = snapshot.names.layers
        attributes = snapshot.structure.depthsAndParameterCounts(snapshot.names)
    }

    /// The attributes of a layer; `nil` if it is not among the names of the run.
    ///
    /// - Parameter id: the layer's id as it is served.
    subscript(id: ArraySlice<UInt8>) -> (depth: Int64, parameterCount: Int64?)? {
        ids.index(of: id).map { attributes[$0] }
    }
}
