/// The number of parameters of a run's layers as it was posted last.
package struct ParameterCounts: Sendable {
    private let ids: NameTable
    private let counts: [Int64?]

    /// - Parameter details: the run.
    package init(_ details: RunDetails) {
        ids = details.names.layers
        counts = details.structure.parameterCounts(details.names)
    }

    /// The number of parameters of a layer; `nil` if it was not posted.
    ///
    /// - Parameter id: the layer's id as it is served.
    package subscript(id: ArraySlice<UInt8>) -> Int64? {
        guard let index = ids.index(of: id), index < counts.count else { return nil }
        return counts[index]
    }
}
