/// The structure of the model in a step: everything that stays the same from step to step.
///
/// Flat arrays: decoding a step allocates nothing per layer, and two structures are compared as bytes.
package struct LayerLayout: Sendable, Equatable {
    /// All names (unescaped UTF-8), in the order in which they were posted.
    package internal(set) var text: [UInt8] = []
    /// Four offsets into `text` per layer: start and end of the id, start and end of the type.
    package internal(set) var nameBounds: [Int32] = []
    /// Depth of each layer; never decreases.
    package internal(set) var depths: [Int64] = []
    /// Two offsets into `text` for each key of `gradient_norm_ratio`: start and end.
    package internal(set) var ratioBounds: [Int32] = []
    /// `layer_groups` as compact JSON; empty if none were posted.
    package internal(set) var groupsJSON: [UInt8] = []

    /// An empty structure, which the decoder fills.
    package init() {}

    /// A copy without spare capacity.
    func shrunkToFit() -> LayerLayout {
        var fitted = LayerLayout()
        fitted.text = text.shrunkToFit()
        fitted.nameBounds = nameBounds.shrunkToFit()
        fitted.depths = depths.shrunkToFit()
        fitted.ratioBounds = ratioBounds.shrunkToFit()
        fitted.groupsJSON = groupsJSON.shrunkToFit()
        return fitted
    }

    /// Heap bytes of the arrays.
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
/// Separate from the layout because shapes change while the structure does not: the last batch of an epoch is smaller,
/// and sequence lengths differ.
package struct ActivationShapes: Sendable, Equatable {
    /// The dimensions of all layers, concatenated.
    package internal(set) var dimensions: [Int64] = []
    /// For each layer, the end index of its dimensions in `dimensions`.
    package internal(set) var ends: [Int32] = []

    /// An empty list of shapes, which the decoder fills.
    package init() {}

    /// A copy without spare capacity.
    func shrunkToFit() -> ActivationShapes {
        var fitted = ActivationShapes()
        fitted.dimensions = dimensions.shrunkToFit()
        fitted.ends = ends.shrunkToFit()
        return fitted
    }

    /// The dimensions of one layer.
    package subscript(layer: Int) -> ArraySlice<Int64> {
        dimensions[(layer == 0 ? 0 : Int(ends[layer - 1]))..<Int(ends[layer])]
    }
}
