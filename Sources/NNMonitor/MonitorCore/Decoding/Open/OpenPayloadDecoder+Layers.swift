/// Decodes the layers of a step.
extension OpenPayloadDecoder {
    /// Reads `layers`: a list of ids and objects.
    mutating func readLayers() throws(JSONSyntaxError) {
        step.layout = LayerLayout()
        step.shapes = ActivationShapes()
        isBareID = []
        layerCount = 0
        hasKnownLayers = false
        layersText = 0..<0
        if try isNull() { return }
        if let layers = known.layers, let shapes = known.shapes, !shapes.postedText.isEmpty,
            shapes.postedLayers == layers.number, reader.text.has(shapes.postedText, at: reader.offset)
        {
            // The text ends with the list's bracket.
            reader.move(to: reader.offset &+ shapes.postedText.count)
            hasKnownLayers = true
            layerCount = layers.layout.layerCount
            return
        }
        guard reader.next == UInt8(ascii: "[") else {
            layerCount = nil
            issues.add(.listExpected, .layers)
            return try reader.skipValue()
        }
        let start = reader.offset
        let unknown = unknownFields
        try reader.open()
        var first = true
        var layer = 0
        while try reader.nextElement(first: &first) {
            try self.layer(layer)
            layer += 1
        }
        layerCount = layer
        if layer > OpenStepLimits.layers {
            issues.add(.tooLong(maximum: OpenStepLimits.layers, actual: layer), .layers, order: -1)
        }
        guard issues[.layers].isEmpty else { return }
        checkIDs()
        // A text with unknown fields is parsed each time, so that each answer has its warnings.
        if unknownFields == unknown { layersText = start..<reader.offset }
    }

    /// The attributes of one layer.
    private struct Attributes {
        var id = 0..<0
        var type: Range<Int>?
        var depth: Int64?
        var hasShape = false
        var parameters: Int64?
        var trainable = LayerLayout.Trainability.absent
        var group: Range<Int>?
        /// Bit n is set if field n was read.
        var seen: UInt32 = 0
    }

    private mutating func layer(_ layer: Int) throws(JSONSyntaxError) {
        var attributes = Attributes()
        let firstDimension = step.shapes.dimensions.count
        if reader.next == UInt8(ascii: "\"") {
            attributes.id = try id(layer, below: []) ?? 0..<0
        } else if reader.next == UInt8(ascii: "{") {
            try object(layer, &attributes, firstDimension)
        } else {
            issues.add(.layerExpected, .layers, order: layer * 8, below: [.index(layer)])
            try reader.skipValue()
        }
        guard issues[.layers].isEmpty else {
            // The step will be rejected: nothing more is stored.
            step.shapes.dimensions.removeSubrange(firstDimension...)
            return
        }
        isBareID.append(attributes.seen == 0)
        append(attributes)
    }

    private mutating func object(
        _ layer: Int, _ attributes: inout Attributes, _ firstDimension: Int
    ) throws(JSONSyntaxError) {
        // The closures of `fields` get the decoder as a parameter, so the attributes are a variable of their own.
        var read = Attributes()
        let before = issues.mark(.layers)
        try fields(
            OpenLayerField.keys,
            read: { decoder, number throws(JSONSyntaxError) in
                guard let field = OpenLayerField(rawValue: number) else {
                    preconditionFailure("field numbers are raw values")
                }
                let bit: UInt32 = 1 &<< UInt32(number)
                if read.seen & bit != 0 {
                    decoder.issues.remove(.layers, since: before, order: layer * 8 + 1 + number)
                }
                read.seen |= bit
                try decoder.attribute(field, layer, &read, firstDimension)
            },
            unknown: { decoder, key, value in decoder.warnings.ignoredInLayer(key, value) })
        if read.seen & 1 == 0 {
            issues.add(.missing, .layers, order: layer * 8 + 1, below: [.index(layer), .key("id")])
        }
        attributes = read
    }

    private mutating func attribute(
        _ field: OpenLayerField, _ layer: Int, _ attributes: inout Attributes, _ firstDimension: Int
    ) throws(JSONSyntaxError) {
        switch field {
        case .id: attributes.id = try id(layer, below: [.key("id")]) ?? 0..<0
        case .type: attributes.type = try isNull() ? nil : text(field, layer)
        case .depth: attributes.depth = try isNull() ? nil : integer(.notNegative, field, layer)
        case .shape: attributes.hasShape = try shape(layer, firstDimension)
        case .parameters: attributes.parameters = try isNull() ? nil : integer(.notNegative, field, layer)
        case .trainable: attributes.trainable = try boolean(field, layer)
        case .group: attributes.group = try isNull() ? nil : text(field, layer)
        }
    }

    private mutating func integer(
        _ bound: LowerBound, _ field: OpenLayerField, _ layer: Int
    ) throws(JSONSyntaxError) -> Int64? {
        try integer(
            bound, .layers, order: layer * 8 + 1 + field.rawValue, below: [.index(layer), .key("\(field.name)")])
    }

    private mutating func boolean(
        _ field: OpenLayerField, _ layer: Int
    ) throws(JSONSyntaxError) -> LayerLayout.Trainability {
        switch reader.next {
        case UInt8(ascii: "t"):
            try reader.consumeWord("true")
            return .yes
        case UInt8(ascii: "f"):
            try reader.consumeWord("false")
            return .no
        case UInt8(ascii: "n"):
            try reader.consumeWord("null")
            return .absent
        default:
            issues.add(
                .booleanExpected, .layers, order: layer * 8 + 1 + field.rawValue,
                below: [.index(layer), .key("\(field.name)")])
            try reader.skipValue()
            return .absent
        }
    }

    /// Reads a string; an empty one is valid.
    private mutating func text(_ field: OpenLayerField, _ layer: Int) throws(JSONSyntaxError) -> Range<Int>? {
        try string(
            minimum: 0, order: layer * 8 + 1 + field.rawValue, below: [.index(layer), .key("\(field.name)")])
    }

    /// Reads an id, as it is served: with `/` for each `.`.
    private mutating func id(
        _ layer: Int, below: @autoclosure () -> [PayloadIssue.Location]
    ) throws(JSONSyntaxError) -> Range<Int>? {
        let range = try string(minimum: 1, order: layer * 8 + 1, below: [.index(layer)] + below())
        for index in range ?? 0..<0 where step.layout.text[index] == UInt8(ascii: ".") {
            step.layout.text[index] = UInt8(ascii: "/")
        }
        return range
    }

    /// Appends a string to the text of the layout.
    private mutating func string(
        minimum: Int, order: Int, below: @autoclosure () -> [PayloadIssue.Location]
    ) throws(JSONSyntaxError) -> Range<Int>? {
        guard reader.next == UInt8(ascii: "\"") else {
            issues.add(.stringExpected, .layers, order: order, below: below())
            try reader.skipValue()
            return nil
        }
        let raw = try reader.string()
        let start = step.layout.text.count
        let isUnicode = reader.append(raw, to: &step.layout.text)
        let range = start..<step.layout.text.count
        if !isUnicode {
            issues.add(.loneSurrogate, .layers, order: order, below: below())
        } else if range.count < minimum {
            issues.add(.stringTooShort(minimum: minimum), .layers, order: order, below: below())
        } else if range.count > OpenStepLimits.textLength {
            issues.add(.stringTooLong(maximum: OpenStepLimits.textLength), .layers, order: order, below: below())
        } else {
            return range
        }
        return nil
    }

    /// Reads a shape: null, or a list of whole numbers.
    ///
    /// - Returns: whether there is a shape.
    /// - Throws: a syntax error.
    private mutating func shape(_ layer: Int, _ firstDimension: Int) throws(JSONSyntaxError) -> Bool {
        step.shapes.dimensions.removeSubrange(firstDimension...)
        if try isNull() { return false }
        let order = layer * 8 + 1 + OpenLayerField.shape.rawValue
        guard reader.next == UInt8(ascii: "[") else {
            issues.add(.listExpected, .layers, order: order, below: [.index(layer), .key("shape")])
            try reader.skipValue()
            return false
        }
        try reader.open()
        var first = true
        var count = 0
        while try reader.nextElement(first: &first) {
            if count < OpenStepLimits.dimensions {
                let dimension = try integer(
                    .none, .layers, order: order, below: [.index(layer), .key("shape"), .index(count)])
                step.shapes.dimensions.append(dimension ?? 0)
            } else {
                try reader.skipValue()
            }
            count += 1
        }
        if count > OpenStepLimits.dimensions {
            issues.add(
                .tooLong(maximum: OpenStepLimits.dimensions, actual: count), .layers, order: order,
                below: [.index(layer), .key("shape")])
        }
        return true
    }

    /// Appends a layer to the columns of the layout. A column begins with the first layer that has the attribute.
    private mutating func append(_ attributes: Attributes) {
        func appendBounds(_ range: Range<Int>?, to bounds: inout [Int32]) {
            bounds.append(Int32(truncatingIfNeeded: range?.lowerBound ?? -1))
            bounds.append(Int32(truncatingIfNeeded: range?.upperBound ?? -1))
        }
        let layer = step.layout.layerCount
        appendBounds(attributes.id, to: &step.layout.nameBounds)
        appendBounds(attributes.type, to: &step.layout.nameBounds)
        step.layout.depths.append(attributes.depth ?? -1)
        if attributes.parameters != nil || !step.layout.parameterCounts.isEmpty {
            step.layout.parameterCounts.fill(to: layer, with: -1)
            step.layout.parameterCounts.append(attributes.parameters ?? -1)
        }
        if attributes.trainable != .absent || !step.layout.trainable.isEmpty {
            step.layout.trainable.fill(to: layer, with: .absent)
            step.layout.trainable.append(attributes.trainable)
        }
        if attributes.group != nil || !step.layout.groupBounds.isEmpty {
            step.layout.groupBounds.fill(to: layer * 2, with: -1)
            appendBounds(attributes.group, to: &step.layout.groupBounds)
        }
        if attributes.hasShape || !step.shapes.ends.isEmpty {
            // Earlier layers have no dimensions either.
            step.shapes.ends.fill(to: layer, with: ~0)
            let end = Int32(truncatingIfNeeded: step.shapes.dimensions.count)
            step.shapes.ends.append(attributes.hasShape ? end : ~end)
        }
    }

    /// Reports each layer that has the id of an earlier one.
    private mutating func checkIDs() {
        let layout = step.layout
        for layer in DuplicateKeys.repeats(count: layout.layerCount, key: { layout.idBytes($0) }) {
            reject(
                .layerRepeated(id: String(decoding: layout.idBytes(layer), as: UTF8.self)), .layers,
                order: layer * 8 + 1
            ) { $0.isBareID[layer] ? [.index(layer)] : [.index(layer), .key("id")] }
        }
    }
}

extension Array {
    /// Appends elements until the array has `count`.
    fileprivate mutating func fill(to count: Int, with element: Element) {
        while self.count < count { append(element) }
    }
}
