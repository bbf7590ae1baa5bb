import Foundations

/// Makes the step of a payload without errors.
extension OpenPayloadDecoder {
    /// The decoded step.
    mutating func decoded(runID: RunID, clock: () -> UTCTime) -> DecodedStep {
        step.runID = runID
        if step.timestamp == 0 { step.timestamp = Double(clock().microseconds) / 1_000_000 }
        shareLayers()
        shareNames()
        step.numbers += scalars
        step.numbers += vectors.values
        return step
    }

    /// Replaces the layers by the tables of the earlier step if they are equal.
    private mutating func shareLayers() {
        guard layerCount != 0, let layers = known.layers, let shapes = known.shapes,
            hasKnownLayers || layers.layout == step.layout
        else { return }
        step.known.layers = layers
        step.layout = LayerLayout()
        guard hasKnownLayers || shapes.shapes == step.shapes else { return }
        step.known.shapes = shapes
        step.shapes = ActivationShapes()
        // The second step with these layers and shapes: further ones probably have the same text. Where shapes change
        // from step to step, no text is kept.
        if !hasKnownLayers, !layersText.isEmpty, shapes.postedLayers != layers.number {
            step.layersText.reserveCapacity(layersText.count)
            reader.text.append(layersText, to: &step.layersText)
        }
    }

    /// Collects the names, and replaces them by the table of the earlier step if they are equal. Moves the scalars that
    /// v1 serves as ratios to the front.
    private mutating func shareNames() {
        if let columns = known.columns, metricNames.areKnown, scalarNames.areKnown, vectors.equal(columns.layout) {
            step.known.columns = columns
            return
        }
        var layout = ColumnLayout()
        func append(_ name: ArraySlice<UInt8>, to bounds: WritableKeyPath<ColumnLayout, [Int32]>) {
            layout[keyPath: bounds].append(Int32(truncatingIfNeeded: layout.text.count))
            layout.text += name
            layout[keyPath: bounds].append(Int32(truncatingIfNeeded: layout.text.count))
        }
        for metric in 0..<metricNames.count { append(metricNames[metric], to: \.metricBounds) }
        let prefix = V1Scalar.ratioPrefix
        let isRatio = (0..<scalarNames.count).map { scalarNames[$0].starts(with: prefix) }
        let order = isRatio.indices.filter { isRatio[$0] } + isRatio.indices.filter { !isRatio[$0] }
        for scalar in order {
            append(
                isRatio[scalar] ? scalarNames[scalar].dropFirst(prefix.count) : scalarNames[scalar], to: \.scalarBounds)
        }
        scalars = order.map { scalars[$0] }
        layout.ratioCount = isRatio.count { $0 }
        vectors.append(to: &layout)
        if let columns = known.columns, columns.layout == layout {
            step.known.columns = columns
        } else {
            step.columns = layout
        }
    }
}

extension ColumnLayout {
    /// The number of numbers of a step with these names.
    func numberCount(layers: Int) -> Int {
        metricCount * layers + scalarCount + (0..<vectorCount).reduce(0) { $0 + vectorLength($1) }
    }
}
