/// The structure of a model, shared by all steps of a run that have it, with the JSON that never changes ready made.
package final class LayerTable: Sendable {
    /// The structure itself.
    package let layout: LayerLayout
    /// For each layer `{"layer_id":…,"layer_type":…,"depth_index":…`, one after the other.
    let heads: JSONFragments
    /// For each key of `gradient_norm_ratio` its JSON string and a colon.
    let ratioKeys: JSONFragments
    /// `layer_groups` as JSON; `null` when none were posted.
    let groups: [UInt8]
    private static let noGroups = Array("null".utf8)

    package init(_ layout: LayerLayout) {
        let layout = layout.fitted()
        self.layout = layout
        heads = JSONFragments(count: layout.layerCount) { layer, writer in
            writer.literal("{\"layer_id\":")
            writer.string(layout.idBytes(layer))
            writer.literal(",\"layer_type\":")
            writer.string(layout.typeBytes(layer))
            writer.literal(",\"depth_index\":")
            writer.integer(layout.depths[layer])
        }
        ratioKeys = JSONFragments(count: layout.ratioCount) { index, writer in
            writer.string(layout.ratioKeyBytes(index))
            writer.byte(UInt8(ascii: ":"))
        }
        // Either way the array is shared, so it is not counted here.
        groups = layout.groupsJSON.isEmpty ? Self.noGroups : layout.groupsJSON
    }

    /// The id of a layer, as it is served (with `/` between its parts).
    package func layerID(_ layer: Int) -> String { String(decoding: layout.idBytes(layer), as: UTF8.self) }

    /// The type of a layer.
    package func layerType(_ layer: Int) -> String { String(decoding: layout.typeBytes(layer), as: UTF8.self) }

    /// Bytes that this table holds: the object, its entry in the run's count of uses, and its arrays.
    package var memory: Int { 176 + layout.heapBytes + heads.heapBytes + ratioKeys.heapBytes }
}

/// The activation shapes of a step, shared by consecutive steps that have the same, with their JSON ready made.
package final class ShapeTable: Sendable {
    /// The shapes themselves.
    package let shapes: ActivationShapes
    /// For each layer `,"activation_shape":[…],"cross_layer_std_ratio":`.
    let fragments: JSONFragments

    package init(_ shapes: ActivationShapes) {
        let shapes = shapes.fitted()
        self.shapes = shapes
        fragments = JSONFragments(count: shapes.ends.count) { layer, writer in
            writer.literal(",\"activation_shape\":[")
            var first = true
            for dimension in shapes[layer] {
                if !first { writer.byte(UInt8(ascii: ",")) }
                first = false
                writer.integer(dimension)
            }
            writer.literal("],\"cross_layer_std_ratio\":")
        }
    }

    /// Bytes that this table holds: the object, its entry in the run's count of uses, and its arrays.
    package var memory: Int { 128 + shapes.dimensions.heapBytes + shapes.ends.heapBytes + fragments.heapBytes }
}

/// Pieces of ready JSON, back to back in one array.
struct JSONFragments: Sendable {
    /// Where a piece ends. Four times the 1 GiB that a body may have fits: nothing grows by more, and only the dimensions
    /// of shapes by as much (`1e18,` is served with nineteen digits).
    typealias Offset = UInt32

    let bytes: [UInt8]
    let ends: [Offset]

    init(count: Int, _ write: (Int, inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        var ends: [Offset] = []
        ends.reserveCapacity(count)
        for index in 0..<count {
            write(index, &writer)
            ends.append(Offset(writer.bytes.count))
        }
        bytes = writer.bytes.fitted()
        self.ends = ends.fitted()
    }

    @inline(__always)
    private func bounds(_ index: Int) -> Range<Int> { (index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index]) }

    subscript(index: Int) -> ArraySlice<UInt8> { bytes[bounds(index)] }

    /// Bytes of one piece.
    @inline(__always)
    func size(_ index: Int) -> Int { bounds(index).count }

    /// Writes one piece.
    @inline(__always)
    func write(_ index: Int, to cursor: inout ByteCursor) {
        cursor.raw(bytes.span.extracting(bounds(index)))
    }

    var heapBytes: Int { bytes.heapBytes + ends.heapBytes }
}
