import Foundations

/// Percent-encoding and strict percent-decoding (RFC 3986 section 2.1).
package enum PercentCoding {
    /// Percent-decodes `text`.
    ///
    /// - Returns: the decoded text; nil if a `%` lacks two hex digits or the bytes are not UTF-8.
    package static func decoded(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        let utf8 = text.utf8
        guard utf8.contains(where: { $0 == UInt8(ascii: "%") || (plusIsSpace && $0 == UInt8(ascii: "+")) }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        var index = utf8.startIndex
        while index != utf8.endIndex {
            let byte = utf8[index]
            index = utf8.index(after: index)
            if byte == UInt8(ascii: "%") {
                guard index != utf8.endIndex, let high = Hex.value(ofDigit: utf8[index]) else { return nil }
                index = utf8.index(after: index)
                guard index != utf8.endIndex, let low = Hex.value(ofDigit: utf8[index]) else { return nil }
                index = utf8.index(after: index)
                bytes.append(high << 4 | low)
            } else if plusIsSpace, byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Percent-encodes each byte of `text` except the unreserved characters.
    package static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default: encoded += "%" + Hex.encode([byte], letters: .uppercase)
            }
        }
        return encoded
    }

    /// The pairs of a query or an urlencoded form, in order; nil if one is malformed.
    package static func pairs(_ text: Substring, plusIsSpace: Bool = true) -> [(name: String, value: String)]? {
        var pairs: [(name: String, value: String)] = []
        if text.isEmpty { return pairs }
        for field in text.split(separator: "&", omittingEmptySubsequences: true) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0], plusIsSpace: plusIsSpace),
                let value = parts.count > 1 ? Self.decoded(parts[1], plusIsSpace: plusIsSpace) : ""
            else { return nil }
            pairs.append((name, value))
        }
        return pairs
    }
}
