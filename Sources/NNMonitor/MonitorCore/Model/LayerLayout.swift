/// What a step says about the structure of the model: everything that is the same from step to step.
///
/// Flat arrays, so that decoding a step allocates nothing per layer and comparing two structures compares bytes.
package struct LayerLayout: Sendable, Equatable {
    /// The bytes of all names (UTF-8, unescaped), in the order in which they were posted.
    package internal(set) var text: [UInt8] = []
    /// Four offsets into `text` a layer: start and end of the id, start and end of the type.
    package internal(set) var nameBounds: [Int32] = []
    /// Depth of each layer; never decreases.
    package internal(set) var depths: [Int64] = []
    /// Two offsets into `text` for each key of `gradient_norm_ratio`: start and end.
    package internal(set) var ratioBounds: [Int32] = []
    /// `layer_groups` as compact JSON; empty when none were posted.
    package internal(set) var groupsJSON: [UInt8] = []

    package init() {}

    /// The same without memory to spare.
    func fitted() -> LayerLayout {
        var fitted = LayerLayout()
        fitted.text = text.fitted()
        fitted.nameBounds = nameBounds.fitted()
        fitted.depths = depths.fitted()
        fitted.ratioBounds = ratioBounds.fitted()
        fitted.groupsJSON = groupsJSON.fitted()
        return fitted
    }

    /// Bytes that the arrays take.
    var heapBytes: Int {
        text.heapBytes + nameBounds.heapBytes + depths.heapBytes + ratioBounds.heapBytes + groupsJSON.heapBytes
    }

    /// Number of layers.
    package var layerCount: Int { depths.count }

    /// Number of keys of `gradient_norm_ratio`.
    package var ratioCount: Int { ratioBounds.count / 2 }

    /// The bytes of a layer's id.
    package func idBytes(_ layer: Int) -> ArraySlice<UInt8> {
        text[Int(nameBounds[layer * 4])..<Int(nameBounds[layer * 4 + 1])]
    }

    /// The bytes of a layer's type.
    package func typeBytes(_ layer: Int) -> ArraySlice<UInt8> {
        text[Int(nameBounds[layer * 4 + 2])..<Int(nameBounds[layer * 4 + 3])]
    }

    /// The bytes of a key of `gradient_norm_ratio`.
    package func ratioKeyBytes(_ index: Int) -> ArraySlice<UInt8> {
        text[Int(ratioBounds[index * 2])..<Int(ratioBounds[index * 2 + 1])]
    }
}

/// The activation shapes of all layers of a step.
///
/// Kept apart from the layout because they change while the structure does not: the last batch of an epoch is smaller,
/// sequences differ in length.
package struct ActivationShapes: Sendable, Equatable {
    /// All dimensions, layer after layer.
    package internal(set) var dimensions: [Int64] = []
    /// Where each layer's dimensions end in `dimensions`.
    package internal(set) var ends: [Int32] = []

    package init() {}

    /// The same without memory to spare.
    func fitted() -> ActivationShapes {
        var fitted = ActivationShapes()
        fitted.dimensions = dimensions.fitted()
        fitted.ends = ends.fitted()
        return fitted
    }

    /// The dimensions of one layer.
    package subscript(layer: Int) -> ArraySlice<Int64> {
        dimensions[(layer == 0 ? 0 : Int(ends[layer - 1]))..<Int(ends[layer])]
    }
}
