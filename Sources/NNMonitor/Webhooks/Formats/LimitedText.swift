/// Text for a receiver that limits its length and gives some characters a meaning.
struct LimitedText: Sendable {
    /// The unit in which a receiver counts.
    enum Unit: Sendable {
        /// Bytes of UTF-8.
        case bytes
        /// Code units of UTF-16, which are at least as many as characters however a receiver counts those.
        case codeUnits
    }

    /// The unit of the limits.
    let unit: Unit
    /// What a character is replaced with; `nil`: it stays.
    let escape: @Sendable (Unicode.Scalar) -> StaticString?

    /// Escapes a text and shortens it to a limit. A shortened text ends with an ellipsis; no escape is cut.
    func fitted(_ text: String, to limit: Int) -> String {
        var fitted = String.UnicodeScalarView()
        var length = 0
        // The longest part that leaves room for an ellipsis.
        var kept = fitted.endIndex
        let ellipsis = Unicode.Scalar(0x2026 as UInt16) ?? "."
        for scalar in text.unicodeScalars {
            if length + size(ellipsis) <= limit { kept = fitted.endIndex }
            if let replacement = escape(scalar) {
                for part in "\(replacement)".unicodeScalars {
                    fitted.append(part)
                    length += size(part)
                }
            } else {
                fitted.append(scalar)
                length += size(scalar)
            }
            if length > limit {
                fitted.removeSubrange(kept...)
                if size(ellipsis) <= limit { fitted.append(ellipsis) }
                break
            }
        }
        return String(fitted)
    }

    private func size(_ scalar: Unicode.Scalar) -> Int {
        switch unit {
        case .bytes: UTF8.width(scalar)
        case .codeUnits: UTF16.width(scalar)
        }
    }
}

extension String {
    /// The text on one line: control characters are spaces.
    var onOneLine: String {
        guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return self }
        return String(
            String.UnicodeScalarView(
                unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
