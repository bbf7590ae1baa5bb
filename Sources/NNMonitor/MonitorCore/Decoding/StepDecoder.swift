/// Decodes a payload of `POST /api/v1/metrics/layerwise` in one pass, directly into the columns of a step.
///
/// It builds no tree or dictionary and allocates nothing per layer or number. Validation continues after an error; only
/// a syntax error ends the pass.
package enum StepDecoder {
    /// Decodes a payload.
    ///
    /// - Parameters:
    ///   - bytes: the body: UTF-8 JSON.
    ///   - likely: the names that the step probably has.
    /// - Returns: the step, or all errors of the payload (SCHEMA.md, sections "Payload" and "Rejections").
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, likely: ColumnLayout? = nil
    ) -> Result<DecodedStep, RejectedPayload> {
        // The reader does not outlive the closure that provides the buffer. Rebinding bytes to `UInt8` is always valid.
        unsafe bytes.withMemoryRebound(to: UInt8.self) { buffer in
            var decoder = unsafe PayloadDecoder(buffer, likely: likely)
            do throws(JSONSyntaxError) {
                try decoder.payload()
            } catch {
                return .failure(error.rejection)
            }
            return decoder.issues.isEmpty ? .success(decoder.decoded()) : .failure(decoder.issues.rejection())
        }
    }

    /// Decodes a payload.
    ///
    /// - Parameters:
    ///   - bytes: the body: UTF-8 JSON.
    ///   - likely: the names that the step probably has.
    /// - Returns: the step, or all errors of the payload.
    package static func decode(
        _ bytes: [UInt8], likely: ColumnLayout? = nil
    ) -> Result<DecodedStep, RejectedPayload> {
        // The pointer is used only inside the closure; the result holds no reference to it.
        unsafe bytes.withUnsafeBytes { unsafe decode($0, likely: likely) }
    }
}

extension JSONSyntaxError {
    /// The rejection of a payload with this error.
    var rejection: RejectedPayload {
        RejectedPayload(issues: [PayloadIssue(.invalidJSON(problem.sentence(at: offset)), at: [.index(offset)])])
    }
}

extension JSONSyntaxError.Problem {
    func sentence(at offset: Int) -> String {
        switch self {
        case .unexpectedByte: "unexpected character at byte \(offset)"
        case .unexpectedEnd: "unexpected end at byte \(offset)"
        case .invalidUTF8: "invalid UTF-8 at byte \(offset)"
        case .invalidEscape: "invalid escape sequence at byte \(offset)"
        case .controlCharacter: "control character in a string at byte \(offset)"
        case .tooDeep: "nesting deeper than \(JSONReader.maximumDepth) levels at byte \(offset)"
        case .trailingBytes: "unexpected data after the value at byte \(offset)"
        }
    }
}
