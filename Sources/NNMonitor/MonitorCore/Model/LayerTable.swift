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
        let layout = layout.shrunkToFit()
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
    /// For each layer: `[…]`.
    let fragments: JSONFragments
    private let ledger: RunLedger?

    /// Copies the shapes without spare capacity and encodes their JSON fragments.
    ///
    /// - Parameters:
    ///   - shapes: the shapes.
    ///   - ledger: counts the table as long as it exists; `nil`: it is not counted.
    package init(_ shapes: ActivationShapes, ledger: RunLedger? = nil) {
        let shapes = shapes.shrunkToFit()
        self.shapes = shapes
        fragments = JSONFragments(count: shapes.ends.count) { layer, writer in
            writer.byte(UInt8(ascii: "["))
            var first = true
            for dimension in shapes[layer] {
                if !first { writer.byte(UInt8(ascii: ",")) }
                first = false
                writer.integer(dimension)
            }
            writer.byte(UInt8(ascii: "]"))
        }
        self.ledger = ledger
        ledger?.add(memory)
    }

    deinit { ledger?.subtract(memory) }

    /// Bytes that this table holds: the object, its entry in the run's use counts and its arrays.
    package var memory: Int { 128 + shapes.dimensions.heapBytes + shapes.ends.heapBytes + fragments.heapBytes }
}
