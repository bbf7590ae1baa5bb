/// Bytes as hexadecimal text (RFC 4648 section 8).
package enum Hex {
    /// The letter case of the digits 10 to 15.
    package enum Letters: Sendable {
        /// `a` to `f`.
        case lowercase
        /// `A` to `F`.
        case uppercase
    }

    /// Encodes each byte as two digits, high nibble first.
    ///
    /// - Parameters:
    ///   - bytes: the bytes to encode.
    ///   - letters: lowercase by default.
    ///   - separator: inserted between bytes; empty by default.
    /// - Returns: ASCII text.
    package static func encode(
        _ bytes: some Sequence<UInt8>, letters: Letters = .lowercase, separator: String = ""
    ) -> String {
        let firstLetter = letters == .lowercase ? UInt8(ascii: "a") : UInt8(ascii: "A")
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : firstLetter + value - 10 }
        var text: [UInt8] = []
        for byte in bytes {
            if !text.isEmpty { text += separator.utf8 }
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Decodes hexadecimal text without separators.
    ///
    /// - Parameter text: ASCII digits; letters of either case.
    /// - Returns: the bytes; `nil` if a byte of `text` is not a hexadecimal digit or the number of digits is odd.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var high: UInt8?
        for character in text {
            guard let value = value(ofDigit: character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }

    /// The value of one hexadecimal digit.
    ///
    /// - Parameter digit: an ASCII character; letters of either case.
    /// - Returns: 0 to 15; `nil` if the character is not a hexadecimal digit.
    @inlinable
    package static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
