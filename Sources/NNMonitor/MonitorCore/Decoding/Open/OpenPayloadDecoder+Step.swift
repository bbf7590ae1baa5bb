import Foundations

/// Makes the step of a payload without errors.
extension OpenPayloadDecoder {
    /// The decoded step. Its tables are in `known`.
    mutating func decoded(runID: RunID, clock: () -> UTCTime) -> DecodedStep {
        step.runID = runID
        if step.timestamp == 0 { step.timestamp = Double(clock().microseconds) / 1_000_000 }
        (step.known.layers, step.known.shapes) = layerTables()
        step.layout = LayerLayout()
        step.shapes = ActivationShapes()
        step.known.columns = columnTable()
        step.numbers += scalars
        step.numbers += vectors.values
        return step
    }

    private func layerTables() -> (LayerTable, ShapeTable) {
        if layerCount == 0 { return (.none, .none) }
        guard let layers = known.layers, let shapes = known.shapes, hasKnownLayers || layers.layout == step.layout
        else { return (LayerTable(step.layout), ShapeTable(step.shapes)) }
        if hasKnownLayers { return (layers, shapes) }
        guard shapes.shapes == step.shapes else { return (layers, ShapeTable(step.shapes)) }
        // The second step with these layers and shapes: further ones probably have the same text. Where shapes change
        // from step to step, no text is kept.
        if layersText.isEmpty || shapes.postedLayers == layers.number { return (layers, shapes) }
        var text: [UInt8] = []
        text.reserveCapacity(layersText.count)
        reader.text.append(layersText, to: &text)
        return (layers, ShapeTable(shapes, postedText: text, layers: layers))
    }

    /// The table of the names. Moves the scalars that v1 serves as ratios to the front.
    private mutating func columnTable() -> ColumnTable {
        if let columns = known.columns, metricNames.areKnown, scalarNames.areKnown, vectors.equal(columns.layout) {
            return columns
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
            append(isRatio[scalar] ? scalarNames[scalar].dropFirst(prefix.count) : scalarNames[scalar], to: \.scalarBounds)
        }
        scalars = order.map { scalars[$0] }
        layout.ratioCount = isRatio.count { $0 }
        vectors.append(to: &layout)
        if let columns = known.columns, columns.layout == layout { return columns }
        return ColumnTable(layout)
    }
}

extension ColumnLayout {
    /// The number of numbers of a step with these names.
    func numberCount(layers: Int) -> Int {
        metricCount * layers + scalarCount + (0..<vectorCount).reduce(0) { $0 + vectorLength($1) }
    }
}
