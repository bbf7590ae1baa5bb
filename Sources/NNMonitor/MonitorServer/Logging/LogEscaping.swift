/// Escapes text so that it stays within its line.
enum LogEscaping {
    /// Appends text with control characters escaped as `\n`, `\t` or `\u{1b}`.
    static func appendPlain(_ text: String, to line: inout [UInt8]) {
        append(text, to: &line, isPlain: { $0 >= 0x20 && isHarmless($0) }) { scalar, line in
            guard mustEscape(scalar) else { return false }
            appendTextEscape(of: scalar, to: &line)
            return true
        }
    }

    /// Appends text as one word. It is quoted if it is empty, contains a space, a quote or `=`, or needs escapes.
    static func appendWord(_ text: String, to line: inout [UInt8]) {
        if !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && isHarmless($0) && !isQuoting($0) && $0 != equals }) {
            line.append(contentsOf: text.utf8)
            return
        }
        line.append(quote)
        append(text, to: &line, isPlain: { $0 >= 0x20 && isHarmless($0) && !isQuoting($0) }) { scalar, line in
            if scalar == "\"" || scalar == "\\" {
                line.append(backslash)
                line.append(UInt8(truncatingIfNeeded: scalar.value))
            } else if mustEscape(scalar) {
                appendTextEscape(of: scalar, to: &line)
            } else {
                return false
            }
            return true
        }
        line.append(quote)
    }

    /// Appends a JSON string with its quotes (RFC 8259 §7).
    static func appendJSON(_ text: String, to line: inout [UInt8]) {
        line.append(quote)
        append(text, to: &line, isPlain: { $0 >= 0x20 && isHarmless($0) && !isQuoting($0) }) { scalar, line in
            if scalar == "\"" || scalar == "\\" {
                line.append(backslash)
                line.append(UInt8(truncatingIfNeeded: scalar.value))
            } else if let letter = shortEscape(of: scalar) {
                line.append(backslash)
                line.append(letter)
            } else if mustEscape(scalar) {
                line.append(contentsOf: "\\u".utf8)
                appendHexadecimal(scalar.value, digits: 4, to: &line)
            } else {
                return false
            }
            return true
        }
        line.append(quote)
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let equals = UInt8(ascii: "=")

    /// Appends text in one piece if all of its bytes are plain, which is the common case, otherwise scalar by scalar.
    private static func append(
        _ text: String, to line: inout [UInt8], isPlain: (UInt8) -> Bool,
        escape: (Unicode.Scalar, inout [UInt8]) -> Bool
    ) {
        if text.utf8.allSatisfy(isPlain) {
            line.append(contentsOf: text.utf8)
            return
        }
        for scalar in text.unicodeScalars where !escape(scalar, &line) {
            line.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    private static func isQuoting(_ byte: UInt8) -> Bool { byte == quote || byte == backslash }

    /// Whether the byte is neither DEL nor the first byte of a C1 control (C2) or of U+2000 to U+2FFF (E2) in UTF-8.
    private static func isHarmless(_ byte: UInt8) -> Bool { byte != 0x7F && byte != 0xC2 && byte != 0xE2 }

    /// Whether this is a control character, a line or paragraph separator, or a mark that reorders text on a screen.
    private static func mustEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private static func shortEscape(of scalar: Unicode.Scalar) -> UInt8? {
        switch scalar {
        case "\n": UInt8(ascii: "n")
        case "\r": UInt8(ascii: "r")
        case "\t": UInt8(ascii: "t")
        default: nil
        }
    }

    private static func appendTextEscape(of scalar: Unicode.Scalar, to line: inout [UInt8]) {
        line.append(backslash)
        if let letter = shortEscape(of: scalar) {
            line.append(letter)
        } else {
            line.append(contentsOf: "u{".utf8)
            appendHexadecimal(scalar.value, digits: scalar.value < 0x100 ? 2 : 4, to: &line)
            line.append(UInt8(ascii: "}"))
        }
    }

    private static func appendHexadecimal(_ value: UInt32, digits: Int, to line: inout [UInt8]) {
        for position in stride(from: (digits - 1) * 4, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt32(position) & 0xF)
            line.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
