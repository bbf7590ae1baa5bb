/// The structure of the model in a step: everything about its layers that stays the same from step to step.
///
/// Flat arrays: decoding a step allocates nothing per layer, and two structures are compared as bytes.
package struct LayerLayout: Sendable, Equatable {
    /// All names (unescaped UTF-8), in the order in which they were posted.
    package internal(set) var text: [UInt8] = []
    /// Four offsets into `text` per layer: start and end of the id, start and end of the type. A type that was not
    /// posted has the offsets -1.
    package internal(set) var nameBounds: [Int32] = []
    /// Depth of each layer; -1 where none was posted. In a step posted by v1 it never decreases.
    package internal(set) var depths: [Int64] = []
    /// The number of parameters of each layer, -1 where none was posted; empty if no layer has one.
    package internal(set) var parameterCounts: [Int64] = []
    /// Whether each layer is trainable; empty if it was posted for no layer.
    package internal(set) var trainable: [Trainability] = []
    /// Two offsets into `text` per layer: start and end of its group's name, -1 where none was posted; empty if no
    /// layer has one.
    package internal(set) var groupBounds: [Int32] = []
    /// `layer_groups` of a v1 payload as compact JSON; empty if none were posted.
    package internal(set) var groupsJSON: [UInt8] = []

    /// The value of a layer's `trainable`.
    package enum Trainability: UInt8, Sendable, BitwiseCopyable {
        /// It was not posted.
        case absent
        /// `false`
        case no
        /// `true`
        case yes
    }

    /// An empty structure, which the decoder fills.
    package init() {}

    /// A copy without spare capacity.
    func shrunkToFit() -> LayerLayout {
        var fitted = LayerLayout()
        fitted.text = text.shrunkToFit()
        fitted.nameBounds = nameBounds.shrunkToFit()
        fitted.depths = depths.shrunkToFit()
        fitted.parameterCounts = parameterCounts.shrunkToFit()
        fitted.trainable = trainable.shrunkToFit()
        fitted.groupBounds = groupBounds.shrunkToFit()
        fitted.groupsJSON = groupsJSON.shrunkToFit()
        return fitted
    }

    /// Heap bytes of the arrays.
    var heapBytes: Int {
        text.heapBytes + nameBounds.heapBytes + depths.heapBytes + parameterCounts.heapBytes + trainable.heapBytes
            + groupBounds.heapBytes + groupsJSON.heapBytes
    }

    /// Number of layers.
    package var layerCount: Int { depths.count }

    /// The bytes of a layer's id.
    package func idBytes(_ layer: Int) -> ArraySlice<UInt8> {
        text[Int(nameBounds[layer * 4])..<Int(nameBounds[layer * 4 + 1])]
    }

    /// The bytes of a layer's type; `nil` if none was posted.
    package func typeBytes(_ layer: Int) -> ArraySlice<UInt8>? { slice(nameBounds, at: layer * 4 + 2) }

    /// The depth of a layer; `nil` if none was posted.
    package func depth(_ layer: Int) -> Int64? { depths[layer] < 0 ? nil : depths[layer] }

    /// The number of parameters of a layer; `nil` if it was not posted.
    package func parameterCount(_ layer: Int) -> Int64? {
        parameterCounts.isEmpty || parameterCounts[layer] < 0 ? nil : parameterCounts[layer]
    }

    /// Whether a layer is trainable; `nil` if it was not posted.
    package func isTrainable(_ layer: Int) -> Bool? {
        trainable.isEmpty || trainable[layer] == .absent ? nil : trainable[layer] == .yes
    }

    /// The bytes of the name of a layer's group; `nil` if none was posted.
    package func groupBytes(_ layer: Int) -> ArraySlice<UInt8>? {
        groupBounds.isEmpty ? nil : slice(groupBounds, at: layer * 2)
    }

    private func slice(_ bounds: [Int32], at index: Int) -> ArraySlice<UInt8>? {
        bounds[index] < 0 ? nil : text[Int(bounds[index])..<Int(bounds[index + 1])]
    }
}

/// The activation shapes of all layers of a step.
///
/// Separate from the layout because shapes change while the structure does not: the last batch of an epoch is smaller,
/// and sequence lengths differ.
package struct ActivationShapes: Sendable, Equatable {
    /// The dimensions of all layers, concatenated.
    package internal(set) var dimensions: [Int64] = []
    /// For each layer, the end index of its dimensions in `dimensions`; the complement of it (`~end`) if no shape was
    /// posted. Empty if no layer has a shape.
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

    /// The dimensions of one layer; `nil` if no shape was posted.
    package subscript(layer: Int) -> ArraySlice<Int64>? {
        if ends.isEmpty || ends[layer] < 0 { return nil }
        let start = layer == 0 ? 0 : ends[layer - 1]
        return dimensions[Int(start < 0 ? ~start : start)..<Int(ends[layer])]
    }
}
