package import Foundations

extension ByteString {
    /// The first rule for run ids that the text violates; `nil` if it is a valid id.
    package var problem: PayloadIssue.Kind? {
        let bytes = Array(text.utf8)
        if bytes.isEmpty { return .stringTooShort(minimum: 1) }
        if bytes.count > 512 { return .stringTooLong(maximum: 512) }
        if PayloadDecoder.hasControlCharacter(bytes) { return .controlCharacter }
        return PayloadDecoder.isDotSegment(bytes) ? .dotSegment : nil
    }
}
