import Foundations

/// Makes the step of a payload without errors.
extension OpenPayloadDecoder {
    /// The decoded step.
    mutating func decoded(runID: RunID, clock: () -> UTCTime) -> DecodedStep {
        step.runID = runID
        if step.timestamp == 0 { step.timestamp = Double(clock().microseconds) / 1_000_000 }
        var shared = KnownTables()
        let layersText = shareLayers(&shared)
        shareNames(&shared)
        step.numbers += scalars
        step.numbers += vectors.values
        // The contents move out of the decoder.
        var contents = StepContents()
        swap(&contents, &step)
        var decoded = DecodedStep(contents)
        decoded.known = shared
        decoded.layersText = layersText
        return decoded
    }

    /// Replaces the layers by the tables of the earlier step if they are equal.
    ///
    /// - Returns: the text of `layers` if the shapes shall keep it; otherwise nothing.
    private mutating func shareLayers(_ shared: inout KnownTables) -> [UInt8] {
        guard layerCount != 0, let layers = known.layers, let shapes = known.shapes,
            hasKnownLayers || layers.layout == step.layout
        else { return [] }
        shared.layers = layers
        if !hasKnownLayers { step.layout = LayerLayout() }
        guard hasKnownLayers || shapes.shapes == step.shapes else { return [] }
        shared.shapes = shapes
        if hasKnownLayers { return [] }
        step.shapes = ActivationShapes()
        // The second step with these layers and shapes: further ones probably have the same text. Where shapes change
        // from step to step, no text is kept.
        guard !layersText.isEmpty, shapes.postedLayers != layers.number else { return [] }
        var text: [UInt8] = []
        text.reserveCapacity(layersText.count)
        reader.text.append(layersText, to: &text)
        return text
    }

    /// Collects the names, and replaces them by the table of the earlier step if they are equal. Moves the scalars that
    /// v1 serves as ratios to the front.
    private mutating func shareNames(_ shared: inout KnownTables) {
        if let columns = known.columns, metricNames.areKnown, scalarNames.areKnown, vectors.equal(columns.layout) {
            shared.columns = columns
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
            shared.columns = columns
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
