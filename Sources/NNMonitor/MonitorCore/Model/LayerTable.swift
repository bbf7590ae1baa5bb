/// The structure of a model, shared by all steps of a run that have it, with pre-encoded JSON for its constant parts.
package final class LayerTable: Sendable {
    /// The structure itself.
    package let layout: LayerLayout
    /// For each layer: `{"layer_id":…,"layer_type":…,"depth_index":…`.
    let heads: JSONFragments
    /// For each key of `gradient_norm_ratio`: its JSON string and a colon.
    let ratioKeys: JSONFragments
    /// `layer_groups` as JSON; `null` if none were posted.
    let groups: [UInt8]
    private let ledger: RunLedger?
    private static let noGroups = Array("null".utf8)

    /// Copies the structure without spare capacity and encodes its JSON fragments.
    ///
    /// - Parameters:
    ///   - layout: the structure.
    ///   - ledger: counts the table as long as it exists; `nil`: it is not counted.
    package init(_ layout: LayerLayout, ledger: RunLedger? = nil) {
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
        // Both arrays are shared, so `memory` does not count them again.
        groups = layout.groupsJSON.isEmpty ? Self.noGroups : layout.groupsJSON
        self.ledger = ledger
        ledger?.add(memory)
    }

    deinit { ledger?.subtract(memory) }

    /// The id of a layer as it is served, with `/` between its parts.
    package func layerID(_ layer: Int) -> String { String(decoding: layout.idBytes(layer), as: UTF8.self) }

    /// The type of a layer.
    package func layerType(_ layer: Int) -> String { String(decoding: layout.typeBytes(layer), as: UTF8.self) }

    /// Bytes that this table holds: the object, its entry in the run's use counts and its arrays.
    package var memory: Int { 176 + layout.heapBytes + heads.heapBytes + ratioKeys.heapBytes }
}

/// The activation shapes of a step with their pre-encoded JSON, shared by consecutive steps with equal shapes.
package final class ShapeTable: Sendable {
    /// The shapes themselves.
    package let shapes: ActivationShapes
    /// For each layer: `,"activation_shape":[…],"cross_layer_std_ratio":`.
    let fragments: JSONFragments
    private let ledger: RunLedger?

    /// Copies the shapes without spare capacity and encodes their JSON fragments.
    ///
    /// - Parameters:
    ///   - shapes: the shapes.
    ///   - ledger: counts the table as long as it exists; `nil`: it is not counted.
    package init(_ shapes: ActivationShapes, ledger: RunLedger? = nil) {
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
        self.ledger = ledger
        ledger?.add(memory)
    }

    deinit { ledger?.subtract(memory) }

    /// Bytes that this table holds: the object, its entry in the run's use counts and its arrays.
    package var memory: Int { 128 + shapes.dimensions.heapBytes + shapes.ends.heapBytes + fragments.heapBytes }
}

/// Pre-encoded JSON fragments, concatenated in one array.
struct JSONFragments: Sendable {
    /// The end of a fragment. `UInt32` suffices: fragments are at most four times the size of the body, which is at
    /// most 1 GiB. The dimensions of shapes reach that factor (`1e18,` is served with nineteen digits).
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

    /// The size of one fragment, in bytes.
    @inline(__always)
    func size(_ index: Int) -> Int { bounds(index).count }

    /// Writes one fragment.
    @inline(__always)
    func write(_ index: Int, to cursor: inout ByteCursor) {
        cursor.raw(bytes.span.extracting(bounds(index)))
    }

    var heapBytes: Int { bytes.heapBytes + ends.heapBytes }
}
