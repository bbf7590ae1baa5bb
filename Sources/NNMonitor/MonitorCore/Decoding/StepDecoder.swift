/// Decodes a payload of `POST /api/v1/metrics/layerwise` in one pass, directly into the columns of a step.
///
/// It builds no tree or dictionary and allocates nothing per layer or number. Validation continues after an error; only
/// a syntax error ends the pass.
package enum StepDecoder {
    /// Decodes a payload.
    ///
    /// - Parameter bytes: the body: UTF-8 JSON.
    /// - Returns: the step, or all errors of the payload (SCHEMA.md, sections "Payload" and "Rejections").
    package static func decode(_ bytes: UnsafeRawBufferPointer) -> Result<DecodedStep, RejectedPayload> {
        // The reader does not outlive the closure that provides the buffer. Rebinding bytes to `UInt8` is always valid.
        unsafe bytes.withMemoryRebound(to: UInt8.self) { buffer in
            var pass = unsafe PayloadPass(buffer)
            do throws(JSONSyntaxError) {
                try pass.payload()
            } catch {
                let problem = PayloadIssue.Kind.invalidJSON(error.problem.sentence(at: error.offset))
                return .failure(RejectedPayload(issues: [PayloadIssue(problem, at: [.index(error.offset)])]))
            }
            return pass.issues.isEmpty ? .success(pass.step) : .failure(pass.issues.rejection())
        }
    }

    /// Decodes a payload.
    ///
    /// - Parameter bytes: the body: UTF-8 JSON.
    /// - Returns: the step, or all errors of the payload.
    package static func decode(_ bytes: [UInt8]) -> Result<DecodedStep, RejectedPayload> {
        // The pointer is used only inside the closure; the result holds no reference to it.
        unsafe bytes.withUnsafeBytes { unsafe decode($0) }
    }
}

extension JSONSyntaxError.Problem {
    fileprivate func sentence(at offset: Int) -> String {
        switch self {
        case .unexpectedByte: "unexpected character at byte \(offset)"
        case .unexpectedEnd: "it ends too soon, at byte \(offset)"
        case .invalidUTF8: "invalid UTF-8 at byte \(offset)"
        case .invalidEscape: "invalid escape sequence at byte \(offset)"
        case .controlCharacter: "control character in a string at byte \(offset)"
        case .tooDeep: "nesting deeper than \(JSONReader.maximumDepth) levels at byte \(offset)"
        case .trailingBytes: "something follows the end of the value at byte \(offset)"
        }
    }
}

/// The state of one pass over a payload: the reader, the partial step and the errors.
///
/// `PayloadPass+Objects.swift` decodes the objects, `PayloadPass+Values.swift` the values.
struct PayloadPass {
    let schema = PayloadSchema.shared
    var reader: JSONReader
    var step = DecodedStep()
    var issues = IssueList()
    /// The numbers of the current layer.
    var layerNumbers = InlineArray<12, Double>(repeating: Absent.number)
    /// The values of `gradient_norm_ratio`, in the order of the layout's ratio keys.
    var ratios: [Double] = []
    var featureStdGradient = 0.0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // The pass does not outlive the closure that provides the buffer (`StepDecoder.decode`).
        reader = unsafe JSONReader(bytes)
        // A layer with full-precision numbers takes about 700 bytes of JSON.
        let layers = bytes.count / 600 + 1
        step.numbers.reserveCapacity(layers * LayerMetric.count + 8)
        step.layout.text.reserveCapacity(layers * 32)
        step.layout.nameBounds.reserveCapacity(layers * 4)
        step.layout.depths.reserveCapacity(layers)
        step.shapes.dimensions.reserveCapacity(layers * 4)
        step.shapes.ends.reserveCapacity(layers)
    }

    /// Reads the fields of an object.
    ///
    /// - Parameters:
    ///   - object: the object. The reader must be at its value.
    ///   - layer: the index of the layer that contains the object, or -1.
    ///   - read: reads the value of a known field. The reader is at the value.
    /// - Throws: a syntax error.
    @inline(__always)
    mutating func fields(
        _ object: PayloadObject, layer: Int = -1,
        read: (inout PayloadPass, Int) throws(JSONSyntaxError) -> Void
    ) throws(JSONSyntaxError) {
        guard reader.next == UInt8(ascii: "{") else {
            try reject(.objectExpected, PayloadPlace(object, layer: layer))
            return
        }
        try reader.open()
        let keys = schema[object]
        var seen: UInt32 = 0
        var found = FieldIssues()
        var expected = 0
        var first = true
        while true {
            // Trainers post the same keys in the same order, so the expected key is tried first.
            let field: Int
            if expected < keys.count, reader.passKey(keys[expected], first: &first) {
                field = expected
            } else if reader.passEnd() {
                break
            } else if expected < keys.count, reader.passSpacedKey(keys[expected], first: &first) {
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
            if seen & bit != 0 { found.forget(field, in: &issues) }
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

    /// Records an error and consumes the value.
    mutating func reject(
        _ kind: PayloadIssue.Kind, _ place: PayloadPlace, below: @autoclosure () -> [PayloadIssue.Location] = []
    ) throws(JSONSyntaxError) {
        issues.add(kind, place, below: below())
        try reader.skipValue()
    }
}
