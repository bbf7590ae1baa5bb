import Foundations

/// Decodes the objects of a payload, from the outermost inwards.
extension PayloadDecoder {
    mutating func payload() throws(JSONSyntaxError) {
        if reader.isEmpty {
            issues.add(.missing, PayloadPlace(.payload))
            return
        }
        reader.skipWhitespace()
        try fields(of: PayloadKey.self) { decoder, key, place throws(JSONSyntaxError) in
            switch key {
            case .metadata: try decoder.metadata()
            case .layers: try decoder.layers(place)
            case .crossLayer: try decoder.crossLayer()
            }
        }
        try reader.finish()
        if issues.isEmpty {
            step.layout.serveSlashes()
            if hasLikelyNames, let likely {
                step.columns = likely
            } else if ratios.isEmpty {
                step.columns = .v1WithoutRatios
            } else {
                step.columns.appendFeatureStdGradient()
            }
            // Copied here instead of in the store actor, where the copy would delay all other requests.
            step.numbers = numbersByColumn()
        }
    }

    /// The numbers in the order of a record: the decoder collects them layer by layer.
    private func numbersByColumn() -> [Double] {
        let layers = step.layout.layerCount
        let columns = schema.columns
        let rows = step.numbers.span
        return [Double](capacity: rows.count + ratios.count + 1) { numbers in
            for column in 0..<columns {
                for layer in 0..<layers { numbers.append(rows[layer &* columns &+ column]) }
            }
            for ratio in ratios { numbers.append(ratio) }
            numbers.append(featureStdGradient)
        }
    }

    private mutating func metadata() throws(JSONSyntaxError) {
        step.layout.groupsJSON = []
        try fields(of: MetadataKey.self) { decoder, key, place throws(JSONSyntaxError) in
            switch key {
            case .runID: try decoder.runID(place)
            case .timestamp: decoder.step.timestamp = try decoder.number(place, bound: .aboveZero)
            case .step: decoder.step.step = try decoder.integer(place, bound: .notNegative)
            case .batchSize: decoder.step.batchSize = try decoder.integer(place, bound: .aboveZero)
            case .layerGroups: try decoder.layerGroups(place)
            }
        }
    }

    private mutating func runID(_ place: PayloadPlace) throws(JSONSyntaxError) {
        var text: [UInt8] = []
        guard try Self.string(&reader, &issues, place, maximum: 512, into: &text) != nil else { return }
        if Self.hasControlCharacter(text) { issues.add(.controlCharacter, place) }
        if Self.isDotSegment(text) { issues.add(.dotSegment, place) }
        step.runID = RunID(decoding: text)
    }

    /// Whether a text is `.` or `..`: clients and proxies remove such path segments from URLs.
    static func isDotSegment(_ text: [UInt8]) -> Bool {
        (1...2).contains(text.count) && text.allSatisfy { $0 == UInt8(ascii: ".") }
    }

    /// Whether valid UTF-8 contains a control character of Unicode: U+0000 to U+001F, or U+007F to U+009F. U+0080 to
    /// U+009F are encoded as C2 80 to C2 9F.
    static func hasControlCharacter(_ text: some Sequence<UInt8>) -> Bool {
        var lead: UInt8 = 0
        for byte in text {
            if byte < 0x20 || byte == 0x7F || (lead == 0xC2 && byte < 0xA0) { return true }
            lead = byte
        }
        return false
    }

    // MARK: Layers

    private mutating func layers(_ place: PayloadPlace) throws(JSONSyntaxError) {
        let before = issues.mark
        step.layout.nameBounds.removeAll(keepingCapacity: true)
        step.layout.depths.removeAll(keepingCapacity: true)
        step.shapes.dimensions.removeAll(keepingCapacity: true)
        step.shapes.ends.removeAll(keepingCapacity: true)
        step.numbers.removeAll(keepingCapacity: true)
        guard reader.next == UInt8(ascii: "[") else { return try reject(.listExpected, place) }
        try reader.open()
        var first = true
        var layer = 0
        while try reader.nextElement(first: &first) {
            try self.layer(layer, goodSince: before)
            layer += 1
        }
        if layer == 0 { issues.add(.tooShort(minimum: 1, actual: 0), place) }
        if issues.mark == before { checkOrder(place) }
    }

    /// Reads one layer and appends it to the columns.
    ///
    /// - Parameters:
    ///   - layer: the index of the layer.
    ///   - before: the mark before the first layer. After the first error the columns stop growing: the payload will be
    ///     rejected, and `[0,0,…]` must not allocate a layer per two bytes.
    /// - Throws: a syntax error.
    @inline(never)
    private mutating func layer(_ layer: Int, goodSince before: IssueCollector.Mark) throws(JSONSyntaxError) {
        layerNumbers = LayerNumbers(repeating: MissingValue.number)
        firstDimension = step.shapes.dimensions.count
        var id = 0..<0
        var type = 0..<0
        var depth: Int64 = 0
        try fields(of: LayerKey.self, layer: layer) { decoder, key, place throws(JSONSyntaxError) in
            switch key {
            case .id: id = try decoder.name(place)
            case .type: type = try decoder.name(place)
            case .depth: depth = try decoder.integer(place, bound: .notNegative)
            case .features: try decoder.block(.features, .features, decoder.schema.features, layer)
            case .gradient: try decoder.block(.gradient, .gradient, decoder.schema.gradient, layer)
            case .parameters: try decoder.parameters(layer)
            }
        }
        guard issues.mark == before else {
            step.shapes.dimensions.removeSubrange(firstDimension...)
            return
        }
        step.layout.nameBounds.append(Int32(truncatingIfNeeded: id.lowerBound))
        step.layout.nameBounds.append(Int32(truncatingIfNeeded: id.upperBound))
        step.layout.nameBounds.append(Int32(truncatingIfNeeded: type.lowerBound))
        step.layout.nameBounds.append(Int32(truncatingIfNeeded: type.upperBound))
        step.layout.depths.append(depth)
        step.shapes.ends.append(Int32(truncatingIfNeeded: step.shapes.dimensions.count))
        // `append` copies the numbers inside the closure.
        unsafe layerNumbers.span.extracting(0..<schema.columns).withUnsafeBufferPointer {
            unsafe step.numbers.append(contentsOf: $0)
        }
    }

    private mutating func name(_ place: PayloadPlace) throws(JSONSyntaxError) -> Range<Int> {
        try Self.string(&reader, &issues, place, maximum: 1024, into: &step.layout.text) ?? 0..<0
    }

    private mutating func parameters(_ layer: Int) throws(JSONSyntaxError) {
        try fields(of: ParametersKey.self, layer: layer) { decoder, key, _ throws(JSONSyntaxError) in
            switch key {
            case .weight: try decoder.block(.weight, .weight, decoder.schema.weight, layer)
            case .bias: try decoder.block(.bias, .bias, decoder.schema.bias, layer)
            }
        }
    }

    /// Reads a block of metrics, or null if the block is optional.
    @inline(__always)
    private mutating func block(
        _ block: LayerBlock, _ object: PayloadObject, _ keys: SchemaKeys, _ layer: Int
    ) throws(JSONSyntaxError) {
        if block.isOptional, reader.next == UInt8(ascii: "n") { return try reader.consumeWord("null") }
        try metrics(of: object, keys, layer)
    }

    /// Reads the metrics of a block. Its keys determine where each value is stored and how it is checked.
    ///
    /// A missing value needs no store: the layer's numbers are missing before they are read, and those of a repeated
    /// key become missing again. Not inlined: one copy serves all blocks.
    @inline(never)
    private mutating func metrics(
        of object: PayloadObject, _ keys: SchemaKeys, _ layer: Int
    ) throws(JSONSyntaxError) {
        try fields(object, keys, layer: layer) { decoder, field throws(JSONSyntaxError) in
            let place = PayloadPlace(object, layer: layer, field: field)
            let column = keys.column(field)
            if column.kind != .requiredMetric {
                if column.kind == .other { return try decoder.shape(place) }
                if decoder.reader.next == UInt8(ascii: "n") { return try decoder.reader.consumeWord("null") }
            }
            try decoder.store(column.index, place, bound: column.bound)
        }
    }

    /// The maximum number of dimensions of an activation.
    private static let maximumDimensions = 32

    @inline(never)
    private mutating func shape(_ place: PayloadPlace) throws(JSONSyntaxError) {
        if step.shapes.dimensions.count > firstDimension { step.shapes.dimensions.removeSubrange(firstDimension...) }
        guard reader.next == UInt8(ascii: "[") else { return try reject(.listExpected, place) }
        try reader.open()
        var first = true
        var count = 0
        while try reader.nextElement(first: &first) {
            if count < Self.maximumDimensions {
                step.shapes.dimensions.append(try integer(place, bound: .none, index: count))
            } else {
                // The payload will be rejected; storing more would let a small body allocate much memory.
                try reader.skipValue()
            }
            count += 1
        }
        if count < 2 { issues.add(.tooShort(minimum: 2, actual: count), place) }
        if count > Self.maximumDimensions {
            issues.add(.tooLong(maximum: Self.maximumDimensions, actual: count), place)
        }
    }

    /// Reports the first layer whose depth is less than that of the layer before it.
    private mutating func checkOrder(_ place: PayloadPlace) {
        let depths = step.layout.depths
        guard let layer = depths.indices.dropFirst().first(where: { depths[$0] < depths[$0 - 1] }) else { return }
        issues.add(
            .layersOutOfOrder(
                id: String(decoding: step.layout.idBytes(layer), as: UTF8.self), depth: depths[layer],
                previousID: String(decoding: step.layout.idBytes(layer - 1), as: UTF8.self),
                previousDepth: depths[layer - 1]),
            place)
    }

    // MARK: Across layers

    private mutating func crossLayer() throws(JSONSyntaxError) {
        forgetRatios()
        try fields(of: CrossLayerKey.self) { decoder, key, place throws(JSONSyntaxError) in
            switch key {
            case .featureStdGradient: decoder.featureStdGradient = try decoder.number(place, bound: .none)
            case .gradientNormRatio: try decoder.gradientNormRatio(place)
            }
        }
    }
}

extension LayerLayout {
    /// Replaces `.` with `/` in layer ids.
    fileprivate mutating func serveSlashes() {
        for layer in 0..<layerCount {
            for index in Int(nameBounds[layer * 4])..<Int(nameBounds[layer * 4 + 1])
            where text[index] == UInt8(ascii: ".") {
                text[index] = UInt8(ascii: "/")
            }
        }
    }
}
