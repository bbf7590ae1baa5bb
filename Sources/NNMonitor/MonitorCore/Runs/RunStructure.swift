/// The attributes of a layer that were posted last, each by itself.
package struct LayerAttributes: Sendable {
    /// The bytes of the type.
    var type: [UInt8]?
    var depth: Int64?
    /// The shape as JSON.
    var shape: [UInt8]?
    var parameterCount: Int64?
    var isTrainable: Bool?
    /// The name of the group as a JSON string.
    var group: [UInt8]?

    /// No attributes.
    static let none = LayerAttributes()

    /// Takes the attributes that a step has posted for a layer.
    mutating func update(from table: LayerTable, _ shapes: ShapeTable, _ layer: Int) {
        let layout = table.layout
        if let posted = layout.typeBytes(layer) { type = Array(posted) }
        if let posted = layout.depth(layer) { depth = posted }
        if shapes.shapes[layer] != nil { shape = Array(shapes.fragments[layer]) }
        if let posted = layout.parameterCount(layer) { parameterCount = posted }
        if let posted = layout.isTrainable(layer) { isTrainable = posted }
        if let posted = table.layerGroups?[layer], !posted.isEmpty { group = Array(posted) }
    }

    /// Heap bytes of the texts.
    var heapBytes: Int { (type?.heapBytes ?? 0) + (shape?.heapBytes ?? 0) + (group?.heapBytes ?? 0) }
}

/// The layers of a run: those of the last accepted step that had any, each with the attributes that were posted last.
///
/// The tables of that step are held. What earlier steps posted is copied only when a step with other tables arrives.
package struct RunStructure: Sendable {
    /// The structure of the last step with layers.
    package private(set) var table: LayerTable?
    /// The shapes of that step.
    package private(set) var shapes: ShapeTable?
    /// What steps before it posted, by the index of the layer's id in `RunNames.layers`.
    private var earlier: [LayerAttributes] = []
    private var textBytes = 0

    /// Heap bytes of the copied attributes. The run counts the tables.
    var heapBytes: Int { earlier.heapBytes + textBytes }

    /// The number of layers.
    package var layerCount: Int { table?.layout.layerCount ?? 0 }

    /// What steps before the last one posted for a layer of it.
    package func earlier(_ layer: Int, _ names: RunNames) -> LayerAttributes {
        guard let table, let index = names.layers.index(of: table.layout.idBytes(layer)), index < earlier.count else {
            return .none
        }
        return earlier[index]
    }

    /// For each name in `RunNames.layers`: the depth of the layer and the number of its parameters.
    ///
    /// The depth is the one that was posted last; if none was, the layer's position in the run's layers, or among all
    /// that the run ever had.
    func depthsAndParameterCounts(_ names: RunNames) -> [(depth: Int64, parameterCount: Int64?)] {
        var found = (0..<names.layers.count).map { index in
            let known = index < earlier.count ? earlier[index] : .none
            return (depth: known.depth ?? Int64(index), parameterCount: known.parameterCount)
        }
        guard let layout = table?.layout else { return found }
        for layer in (0..<layout.layerCount).reversed() {
            guard let index = names.layers.index(of: layout.idBytes(layer)) else { continue }
            let known = index < earlier.count ? earlier[index] : .none
            found[index] = (
                layout.depth(layer) ?? known.depth ?? Int64(layer), layout.parameterCount(layer) ?? known.parameterCount
            )
        }
        return found
    }

    /// Replaces the tables by those of a newer step.
    mutating func replace(with table: LayerTable, _ shapes: ShapeTable, _ names: RunNames) {
        if let oldTable = self.table, let oldShapes = self.shapes,
            oldTable !== table || !Self.isComplete(shapes, layers: table.layout.layerCount)
        {
            keepAttributes(of: oldTable, oldShapes, names)
        }
        self.table = table
        self.shapes = shapes
    }

    /// Whether a step posted the shape of every layer.
    private static func isComplete(_ shapes: ShapeTable, layers: Int) -> Bool {
        let ends = shapes.shapes.ends
        return ends.count == layers && ends.allSatisfy { $0 >= 0 }
    }

    private mutating func keepAttributes(of table: LayerTable, _ shapes: ShapeTable, _ names: RunNames) {
        for layer in 0..<table.layout.layerCount {
            guard let index = names.layers.index(of: table.layout.idBytes(layer)) else { continue }
            while earlier.count <= index { earlier.append(.none) }
            textBytes -= earlier[index].heapBytes
            earlier[index].update(from: table, shapes, layer)
            textBytes += earlier[index].heapBytes
        }
    }
}
