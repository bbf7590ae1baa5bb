import Foundations

/// Decodes the objects of a payload, from the outermost inwards. Field numbers are indices into `PayloadObject.keys`.
extension PayloadPass {
    mutating func payload() throws(JSONSyntaxError) {
        if reader.isEmpty {
            issues.add(.missing, PayloadPlace(.payload))
            return
        }
        reader.skipWhitespace()
        try fields(.payload) { pass, field throws(JSONSyntaxError) in
            switch field {
            case 0: try pass.metadata()
            case 1: try pass.layers()
            default: try pass.crossLayer()
            }
        }
        try reader.finish()
        step.numbers.append(contentsOf: ratios)
        step.numbers.append(featureStdGradient)
        if issues.isEmpty {
            step.layout.serveSlashes()
            // Copied here instead of in the store actor, where the copy would delay all other requests.
            step.numbers = step.numbers.fitted()
        }
    }

    private mutating func metadata() throws(JSONSyntaxError) {
        step.layout.groupsJSON = []
        try fields(.metadata) { pass, field throws(JSONSyntaxError) in
            let place = PayloadPlace(.metadata, field: field)
            switch field {
            case 0: try pass.runID(place)
            case 1: pass.step.timestamp = try pass.number(place, bound: .aboveZero)
            case 2: pass.step.step = try pass.integer(place, bound: .notNegative)
            case 3: pass.step.batchSize = try pass.integer(place, bound: .aboveZero)
            default: try pass.layerGroups(place)
            }
        }
    }

    private mutating func runID(_ place: PayloadPlace) throws(JSONSyntaxError) {
        var text: [UInt8] = []
        guard try Self.string(&reader, &issues, place, maximum: 512, into: &text) != nil else { return }
        if Self.hasControlCharacter(text) { issues.add(.controlCharacter, place) }
        // Clients and proxies remove the path segments `.` and `..` from URLs.
        if text.count <= 2 && text.allSatisfy({ $0 == UInt8(ascii: ".") }) { issues.add(.dotSegment, place) }
        step.runID = RunID(decoding: text)
    }

    /// Whether valid UTF-8 contains a control character of Unicode: U+0000 to U+001F, or U+007F to U+009F. U+0080 to
    /// U+009F are encoded as C2 80 to C2 9F.
    static func hasControlCharacter(_ text: [UInt8]) -> Bool {
        var lead: UInt8 = 0
        for byte in text {
            if byte < 0x20 || byte == 0x7F || (lead == 0xC2 && byte < 0xA0) { return true }
            lead = byte
        }
        return false
    }

    // MARK: Layers

    private mutating func layers() throws(JSONSyntaxError) {
        let place = PayloadPlace(.payload, field: 1)
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
    private mutating func layer(_ layer: Int, goodSince before: IssueList.Mark) throws(JSONSyntaxError) {
        layerNumbers = InlineArray(repeating: Absent.number)
        var id = 0..<0
        var type = 0..<0
        var depth: Int64 = 0
        let firstDimension = step.shapes.dimensions.count
        try fields(.layer, layer: layer) { pass, field throws(JSONSyntaxError) in
            let place = PayloadPlace(.layer, layer: layer, field: field)
            switch field {
            case 0: id = try pass.name(place)
            case 1: type = try pass.name(place)
            case 2: depth = try pass.integer(place, bound: .notNegative)
            case 3: try pass.features(layer, firstDimension: firstDimension)
            case 4: try pass.gradient(layer)
            default: try pass.parameters(layer)
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
        unsafe layerNumbers.span.withUnsafeBufferPointer { unsafe step.numbers.append(contentsOf: $0) }
    }

    private mutating func name(_ place: PayloadPlace) throws(JSONSyntaxError) -> Range<Int> {
        try Self.string(&reader, &issues, place, maximum: 1024, into: &step.layout.text) ?? 0..<0
    }

    private mutating func features(_ layer: Int, firstDimension: Int) throws(JSONSyntaxError) {
        layerNumbers[LayerMetric.crossLayerStdRatio.rawValue] = Absent.number
        try fields(.features, layer: layer) { pass, field throws(JSONSyntaxError) in
            let place = PayloadPlace(.features, layer: layer, field: field)
            switch field {
            case 0: try pass.store(.activationStd, place, bound: .notNegative)
            case 1: try pass.store(.activationMean, place, bound: .none)
            case 2: try pass.shape(place, firstDimension: firstDimension)
            default:
                if pass.reader.next == UInt8(ascii: "n") {
                    try pass.reader.word("null")
                    pass.layerNumbers[LayerMetric.crossLayerStdRatio.rawValue] = Absent.number
                } else {
                    try pass.store(.crossLayerStdRatio, place, bound: .notNegative)
                }
            }
        }
    }

    /// The maximum number of dimensions of an activation.
    private static let maximumDimensions = 32

    private mutating func shape(_ place: PayloadPlace, firstDimension: Int) throws(JSONSyntaxError) {
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

    private mutating func gradient(_ layer: Int) throws(JSONSyntaxError) {
        try fields(.gradient, layer: layer) { pass, field throws(JSONSyntaxError) in
            let place = PayloadPlace(.gradient, layer: layer, field: field)
            switch field {
            case 0: try pass.store(.gradientL2Norm, place, bound: .notNegative)
            case 1: try pass.store(.gradientStd, place, bound: .notNegative)
            default: try pass.store(.gradientMaxAbs, place, bound: .notNegative)
            }
        }
    }

    private mutating func parameters(_ layer: Int) throws(JSONSyntaxError) {
        layerNumbers[LayerMetric.biasStd.rawValue] = Absent.number
        layerNumbers[LayerMetric.biasMeanAbs.rawValue] = Absent.number
        try fields(.parameters, layer: layer) { pass, field throws(JSONSyntaxError) in
            if field == 0 { try pass.weight(layer) } else { try pass.bias(layer) }
        }
    }

    private mutating func weight(_ layer: Int) throws(JSONSyntaxError) {
        try fields(.weight, layer: layer) { pass, field throws(JSONSyntaxError) in
            let place = PayloadPlace(.weight, layer: layer, field: field)
            switch field {
            case 0: try pass.store(.weightStd, place, bound: .notNegative)
            case 1: try pass.store(.weightMean, place, bound: .none)
            case 2: try pass.store(.weightSpectralNorm, place, bound: .notNegative)
            default: try pass.store(.weightFrobeniusNorm, place, bound: .notNegative)
            }
        }
    }

    private mutating func bias(_ layer: Int) throws(JSONSyntaxError) {
        layerNumbers[LayerMetric.biasStd.rawValue] = Absent.number
        layerNumbers[LayerMetric.biasMeanAbs.rawValue] = Absent.number
        if reader.next == UInt8(ascii: "n") { return try reader.word("null") }
        try fields(.bias, layer: layer) { pass, field throws(JSONSyntaxError) in
            let place = PayloadPlace(.bias, layer: layer, field: field)
            try pass.store(field == 0 ? .biasStd : .biasMeanAbs, place, bound: .notNegative)
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
        ratios.removeAll(keepingCapacity: true)
        step.layout.ratioBounds.removeAll(keepingCapacity: true)
        try fields(.crossLayer) { pass, field throws(JSONSyntaxError) in
            let place = PayloadPlace(.crossLayer, field: field)
            if field == 0 {
                pass.featureStdGradient = try pass.number(place, bound: .none)
            } else {
                try pass.gradientNormRatio(place)
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
