/// The numbers of a layer, in the first columns. There are a few more columns than metrics; the table checks that.
typealias LayerNumbers = InlineArray<16, Double>

/// Decodes one payload: the reader, the partial step and the errors.
///
/// `PayloadDecoder+Objects.swift` decodes the objects, `PayloadDecoder+Values.swift` the values.
struct PayloadDecoder {
    let schema = PayloadSchema.shared
    var reader: JSONReader
    var step = StepContents()
    var issues = IssueCollector()
    /// The numbers of the current layer. Inline, to avoid an array access for each number.
    var layerNumbers = LayerNumbers(repeating: MissingValue.number)
    /// Where the current layer begins in `step.shapes.dimensions`.
    var firstDimension = 0
    /// The values of `gradient_norm_ratio`, in the order of the scalars' names.
    var ratios: [Double] = []
    var featureStdGradient = 0.0
    /// The names that the step probably has.
    let likely: ColumnLayout?
    /// Whether the step has them.
    var hasLikelyNames = false

    init(_ bytes: UnsafeBufferPointer<UInt8>, likely: ColumnLayout? = nil) {
        self.likely = likely.flatMap { $0.isV1 ? $0 : nil }
        // The decoder does not outlive the closure that provides the buffer (`StepDecoder.decode`).
        reader = unsafe JSONReader(bytes)
        step.columns = .v1
        // A layer with full-precision numbers takes more than 50 bytes of JSON per metric.
        let layers = bytes.count / (50 * schema.columns) + 1
        step.numbers.reserveCapacity(layers * schema.columns + 8)
        step.layout.text.reserveCapacity(layers * 32)
        step.layout.nameBounds.reserveCapacity(layers * 4)
        step.layout.depths.reserveCapacity(layers)
        step.shapes.dimensions.reserveCapacity(layers * 4)
        step.shapes.ends.reserveCapacity(layers)
    }

    /// The decoded step. Its contents move out of the decoder.
    mutating func decoded() -> DecodedStep {
        var contents = StepContents()
        swap(&contents, &step)
        return DecodedStep(contents)
    }

    /// Reads the fields of an object.
    ///
    /// - Parameters:
    ///   - object: the object. The reader must be at its value.
    ///   - keys: the keys of the object.
    ///   - layer: the index of the layer that contains the object, or -1.
    ///   - read: reads the value of a known field, given by its number. The reader is at the value.
    /// - Throws: a syntax error.
    @inline(__always)
    mutating func fields(
        _ object: PayloadObject, _ keys: SchemaKeys, layer: Int = -1,
        read: (inout PayloadDecoder, Int) throws(JSONSyntaxError) -> Void
    ) throws(JSONSyntaxError) {
        guard reader.next == UInt8(ascii: "{") else {
            try reject(.objectExpected, PayloadPlace(object, layer: layer))
            return
        }
        try reader.open()
        var seen: UInt32 = 0
        var found = FieldIssues()
        var expected = 0
        var first = true
        while true {
            // Trainers post the same keys in the same order, so the expected key is tried first.
            let field: Int
            if keys.contains(expected), reader.consumeKey(keys[expected], first: &first) {
                field = expected
            } else if reader.consumeObjectEnd() {
                break
            } else if keys.contains(expected), reader.consumeSpacedKey(keys[expected], first: &first) {
                field = expected
            } else {
                guard let key = try reader.nextKey(first: &first) else { break }
                guard let found = keys.field(key, in: reader) else {
                    try reader.skipValue()
                    continue
                }
                field = found
            }
            expected = field &+ 1
            let bit: UInt32 = 1 &<< UInt32(truncatingIfNeeded: field)
            if seen & bit != 0 {
                found.forget(field, in: &issues)
                forgetNumbers(keys.columns(field))
            }
            seen |= bit
            let before = issues.mark
            try read(&self, field)
            found.note(field, of: keys.count, from: before, to: issues.mark)
        }
        if seen & keys.required != keys.required {
            for field in 0..<keys.count where keys.required & ~seen & (1 << UInt32(field)) != 0 {
                issues.add(.missing, PayloadPlace(object, layer: layer, field: field))
            }
        }
    }

    /// Reads the fields of an object whose keys are an enum.
    ///
    /// - Parameters:
    ///   - keys: the enum.
    ///   - layer: the index of the layer that contains the object, or -1.
    ///   - read: reads the value of a key, which is at a place. The reader is at the value.
    /// - Throws: a syntax error.
    @inline(__always)
    mutating func fields<Key: ObjectKey>(
        of keys: Key.Type, layer: Int = -1,
        read: (inout PayloadDecoder, Key, PayloadPlace) throws(JSONSyntaxError) -> Void
    ) throws(JSONSyntaxError) {
        try fields(Key.object, schema[Key.object], layer: layer) { decoder, field throws(JSONSyntaxError) in
            guard let key = Key(rawValue: field) else { preconditionFailure("field numbers are raw values") }
            try read(&decoder, key, PayloadPlace(Key.object, layer: layer, field: field))
        }
    }

    /// Removes the current layer's numbers in these columns, because a repeated key replaces them.
    private mutating func forgetNumbers(_ columns: Range<Int>) {
        for column in columns { layerNumbers[column] = MissingValue.number }
    }

    /// Records an error and consumes the value.
    mutating func reject(
        _ kind: PayloadIssue.Kind, _ place: PayloadPlace, below: @autoclosure () -> [PayloadIssue.Location] = []
    ) throws(JSONSyntaxError) {
        issues.add(kind, place, below: below())
        try reader.skipValue()
    }
}
