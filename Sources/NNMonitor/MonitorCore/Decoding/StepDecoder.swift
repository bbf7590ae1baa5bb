/// Reads a payload of `POST /api/v1/metrics/layerwise` in one pass, straight into the columns of a step.
///
/// No tree, no dictionary, nothing allocated per layer or number. Validates on the way; what is wrong is collected and
/// does not end the reading, except broken JSON.
package enum StepDecoder {
    /// Decodes a payload.
    ///
    /// - Parameter bytes: the body: UTF-8 JSON.
    /// - Returns: the step, or everything that is wrong with the payload (wire contract, part I, section 1).
    package static func decode(_ bytes: UnsafeRawBufferPointer) -> Result<DecodedStep, RejectedPayload> {
        // The reader lives and ends within the call that lends the bytes; bytes are what they are rebound to.
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
    package static func decode(_ bytes: [UInt8]) -> Result<DecodedStep, RejectedPayload> {
        // The array lends its bytes for the call, and the result has none of them.
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

/// One reading of one payload: the reader, the step as far as it is read, and what is wrong with it.
///
/// The objects are in `PayloadPass+Objects.swift`, the values in `PayloadPass+Values.swift`.
struct PayloadPass {
    let schema = PayloadSchema.shared
    var reader: JSONReader
    var step = DecodedStep()
    var issues = IssueList()
    /// The numbers of the layer that is being read.
    var layerNumbers = InlineArray<12, Double>(repeating: Absent.number)
    /// The values of `gradient_norm_ratio`, parallel to the layout's ratio keys.
    var ratios: [Double] = []
    var featureStdGradient = 0.0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // The pass, and so its reader, ends within the call that lends the bytes (`StepDecoder.decode`).
        reader = unsafe JSONReader(bytes)
        // A layer takes some 700 bytes of JSON when its numbers have all their digits.
        let layers = bytes.count / 600 + 1
        step.numbers.reserveCapacity(layers * LayerMetric.count + 8)
        step.layout.text.reserveCapacity(layers * 32)
        step.layout.nameBounds.reserveCapacity(layers * 4)
        step.layout.depths.reserveCapacity(layers)
        step.shapes.dimensions.reserveCapacity(layers * 4)
        step.shapes.ends.reserveCapacity(layers)
    }

    /// Reads an object's fields.
    ///
    /// - Parameters:
    ///   - object: which one; the reader stands at its value.
    ///   - layer: the layer that it belongs to, or -1.
    ///   - read: reads the value of a known field. The reader stands at the value.
    /// - Throws: where the JSON is broken.
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
            // Trainers post the same keys in the same order, so the next one is tried before it is read.
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

    /// Notes an issue and passes the value that has it.
    mutating func reject(
        _ kind: PayloadIssue.Kind, _ place: PayloadPlace, below: @autoclosure () -> [PayloadIssue.Location] = []
    ) throws(JSONSyntaxError) {
        issues.add(kind, place, below: below())
        try reader.skipValue()
    }
}
