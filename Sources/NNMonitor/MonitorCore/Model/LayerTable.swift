/// The structure of a model, shared by all steps of a run that have it, with pre-encoded JSON for its constant parts.
package final class LayerTable: Sendable {
    /// Distinguishes this table from all others.
    let number = StructureID.newNumber()
    /// The structure itself.
    package let layout: LayerLayout
    /// For each layer, as v1 serves it: `{"layer_id":…,"layer_type":…,"depth_index":…`.
    let heads: JSONFragments
    /// `layer_groups` as v1 serves it; `null` if no layer has a group.
    let groups: [UInt8]
    /// For each layer: the name of its group as a JSON string, empty if it has none; `nil` if no layer has one.
    let layerGroups: JSONFragments?
    private let ledger: RunLedger?
    private static let noGroups = Array("null".utf8)

    /// The structure of a step without layers. All such steps share it.
    static let none = LayerTable(LayerLayout())

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
            writer.string(layout.typeBytes(layer) ?? [])
            writer.literal(",\"depth_index\":")
            writer.integer(layout.depth(layer) ?? Int64(layer))
        }
        let groups = LayerGroups(layout)
        // Posted groups are shared with the layout, so `memory` does not count them again.
        self.groups = groups.isEmpty ? Self.noGroups : layout.groupsJSON.isEmpty ? groups.json() : layout.groupsJSON
        layerGroups = groups.isEmpty ? nil : groups.ofLayers()
        self.ledger = ledger
        ledger?.add(memory)
    }

    deinit { ledger?.subtract(memory) }

    /// The id of a layer as it is served, with `/` between its parts.
    package func layerID(_ layer: Int) -> String { String(decoding: layout.idBytes(layer), as: UTF8.self) }

    /// The type of a layer; empty if none was posted.
    package func layerType(_ layer: Int) -> String { String(decoding: layout.typeBytes(layer) ?? [], as: UTF8.self) }

    /// Bytes that this table holds: the object, its entry in the run's use counts and its arrays. `none` belongs to no
    /// run.
    package var memory: Int {
        if layout.layerCount == 0 { return 0 }
        return 208 + layout.heapBytes + heads.heapBytes + (layout.groupBounds.isEmpty ? 0 : groups.heapBytes)
            + (layerGroups?.heapBytes ?? 0)
    }
}

/// The activation shapes of a step with their pre-encoded JSON, shared by consecutive steps with equal shapes.
package final class ShapeTable: Sendable {
    /// Distinguishes these shapes from all others.
    let number: UInt64
    /// The shapes themselves.
    package let shapes: ActivationShapes
    /// For each layer: `[…]`; empty for a layer without a shape. None if no layer has a shape.
    let fragments: JSONFragments
    /// The text of `layers` in the open wire that gave the table `postedLayers` and these shapes; empty if it was not
    /// kept. A step with the same text has the same tables, so its text is not parsed again.
    let postedText: [UInt8]
    /// `LayerTable.number` of the table that `postedText` gave.
    let postedLayers: UInt64
    private let ledger: RunLedger?

    /// The shapes of a step without layers. All such steps share them.
    static let none = ShapeTable(ActivationShapes())

    /// Adds the text that gave a structure and these shapes.
    init(_ table: ShapeTable, postedText: [UInt8], layers: LayerTable, ledger: RunLedger? = nil) {
        number = table.number
        shapes = table.shapes
        fragments = table.fragments
        self.postedText = postedText
        postedLayers = layers.number
        self.ledger = ledger
        ledger?.add(memory)
    }

    /// Copies the shapes without spare capacity and encodes their JSON fragments.
    ///
    /// - Parameters:
    ///   - shapes: the shapes.
    ///   - ledger: counts the table as long as it exists; `nil`: it is not counted.
    package init(_ shapes: ActivationShapes, ledger: RunLedger? = nil) {
        number = StructureID.newNumber()
        postedText = []
        postedLayers = 0
        let shapes = shapes.shrunkToFit()
        self.shapes = shapes
        fragments = JSONFragments(count: shapes.ends.count) { layer, writer in
            guard let dimensions = shapes[layer] else { return }
            writer.byte(UInt8(ascii: "["))
            var first = true
            for dimension in dimensions {
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
    package var memory: Int {
        if self === Self.none { return 0 }
        return 144 + shapes.dimensions.heapBytes + shapes.ends.heapBytes + fragments.heapBytes + postedText.heapBytes
    }
}
