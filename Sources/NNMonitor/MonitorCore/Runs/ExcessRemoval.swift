extension DecodedStep {
    /// The step without names that its run cannot take. A layer is removed with its values in every metric.
    ///
    /// - Parameters:
    ///   - excess: the names; not all are kept, so this is rare and may be slow.
    ///   - layout: the structure of the step.
    ///   - shapes: the activation shapes of the step.
    ///   - names: the names of its numbers.
    /// - Returns: the step with tables of its own.
    func removing(
        _ excess: ExcessNames, _ layout: LayerLayout, _ shapes: ActivationShapes, _ names: ColumnLayout
    ) -> DecodedStep {
        let layers = (0..<layout.layerCount).filter { !excess.layers.contains($0) }
        var step = contents
        step.layout = layout.keeping(layers)
        step.shapes = shapes.keeping(layers)
        step.columns = ColumnLayout()
        step.numbers = []
        for metric in 0..<names.metricCount where !excess.metrics.contains(metric) {
            step.columns.metricBounds += step.columns.add(names.metricName(metric))
            step.numbers += layers.map { numbers[metric * layout.layerCount + $0] }
        }
        let firstScalar = names.metricCount * layout.layerCount
        for scalar in 0..<names.scalarCount where !excess.scalars.contains(scalar) {
            if scalar < names.ratioCount { step.columns.ratioCount += 1 }
            step.columns.scalarBounds += step.columns.add(names.scalarKey(scalar))
            step.numbers.append(numbers[firstScalar + scalar])
        }
        var start = firstScalar + names.scalarCount
        for vector in 0..<names.vectorCount {
            let length = names.vectorLength(vector)
            defer { start += length }
            if excess.vectors.contains(vector) { continue }
            step.columns.vectorBounds += step.columns.add(names.vectorName(vector))
            step.columns.vectorBounds += step.columns.add(names.vectorLayer(vector))
            step.columns.vectorBounds.append(Int32(length))
            step.numbers += numbers[start..<start + length]
        }
        return DecodedStep(step)
    }
}

extension ColumnLayout {
    /// Appends a text.
    ///
    /// - Returns: its start and end.
    fileprivate mutating func add(_ name: ArraySlice<UInt8>) -> [Int32] {
        let start = Int32(text.count)
        text += name
        return [start, Int32(text.count)]
    }
}

extension LayerLayout {
    /// The structure with these layers only.
    fileprivate func keeping(_ layers: [Int]) -> LayerLayout {
        var kept = LayerLayout()
        kept.text = text
        kept.nameBounds = layers.flatMap { nameBounds[$0 * 4..<$0 * 4 + 4] }
        kept.depths = layers.map { depths[$0] }
        if !parameterCounts.isEmpty { kept.parameterCounts = layers.map { parameterCounts[$0] } }
        if !trainable.isEmpty { kept.trainable = layers.map { trainable[$0] } }
        if !groupBounds.isEmpty { kept.groupBounds = layers.flatMap { groupBounds[$0 * 2..<$0 * 2 + 2] } }
        return kept
    }
}

extension ActivationShapes {
    /// The shapes of these layers only.
    fileprivate func keeping(_ layers: [Int]) -> ActivationShapes {
        var kept = ActivationShapes()
        guard !ends.isEmpty else { return kept }
        for layer in layers {
            if let dimensions = self[layer] {
                kept.dimensions += dimensions
                kept.ends.append(Int32(kept.dimensions.count))
            } else {
                kept.ends.append(~Int32(kept.dimensions.count))
            }
        }
        return kept
    }
}
