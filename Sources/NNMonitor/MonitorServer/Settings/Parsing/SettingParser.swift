import Logging

/// Reads the text of a setting, and describes what is allowed.
struct SettingParser<Value: Sendable>: Sendable {
    /// The allowed values, in words.
    let allowed: String
    /// The placeholder for the value in the help: its unit where it has one.
    let placeholder: String
    /// The value; `nil` when the text is not allowed.
    let parse: @Sendable (String) -> Value?
    /// The text that a user would type for a value; `nil` for an absent value.
    let format: @Sendable (Value) -> String?
}

extension SettingParser where Value == Int {
    /// A number of things. `note` explains one of the numbers, such as "0 means no limit".
    static func count(_ range: ClosedRange<Int>, note: String? = nil) -> Self {
        wholeNumber(range, note: note, placeholder: "number")
    }

    /// A number of bytes. `note` explains one of the numbers, such as "0 means no limit".
    static func bytes(_ range: ClosedRange<Int>, note: String? = nil) -> Self {
        wholeNumber(range, note: note, placeholder: "bytes")
    }

    fileprivate static func wholeNumber(_ range: ClosedRange<Int>, note: String?, placeholder: String) -> Self {
        let bounds =
            range.upperBound == .max
            ? "a whole number of \(range.lowerBound) or more"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return SettingParser(
            allowed: note.map { "\(bounds); \($0)" } ?? bounds, placeholder: placeholder,
            parse: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } },
            format: { "\($0)" })
    }
}

extension SettingParser where Value == Int? {
    /// A whole number of seconds; empty means none.
    static func optionalSeconds(_ range: ClosedRange<Int>, note: String) -> Self {
        let number = SettingParser<Int>.wholeNumber(range, note: note, placeholder: "seconds")
        return SettingParser(
            allowed: number.allowed, placeholder: number.placeholder,
            parse: { text in text.isEmpty ? .some(nil) : number.parse(text).map(Optional.some) },
            format: { $0.flatMap(number.format) })
    }

    /// Bytes of memory; `nil` is `auto`, a share of the machine's.
    static var memory: Self {
        let number = SettingParser<Int>.bytes(0...Int.max)
        return SettingParser(
            allowed: "auto, or \(number.allowed); auto means a quarter of the memory of the machine or of the cgroup, "
                + "0 means no limit",
            placeholder: number.placeholder,
            parse: { text in text.lowercased() == "auto" ? .some(nil) : number.parse(text).map(Optional.some) },
            format: { $0.map { "\($0)" } ?? "auto" })
    }
}

extension SettingParser where Value == Duration {
    /// A time in whole seconds.
    static func wholeSeconds(_ range: ClosedRange<Int>) -> Self {
        let number = SettingParser<Int>.wholeNumber(range, note: nil, placeholder: "seconds")
        return SettingParser(
            allowed: number.allowed, placeholder: number.placeholder,
            parse: { number.parse($0).map { .seconds($0) } },
            format: { "\($0.components.seconds)" })
    }

    /// A time in seconds, whole or decimal, to the millisecond.
    static var seconds: Self {
        SettingParser(
            allowed: "seconds from 0.001 to 86400, decimals allowed", placeholder: "seconds",
            parse: { text in
                // Double() alone would also accept "inf", "1e3" and hexadecimal.
                guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
                    let seconds = Double(text), seconds >= 0.001, seconds <= 86_400
                else { return nil }
                return .milliseconds(Int64((seconds * 1000).rounded()))
            },
            format: { duration in
                let seconds = duration / .seconds(1)
                return Int64(exactly: seconds).map { "\($0)" } ?? "\(seconds)"
            })
    }
}

extension SettingParser where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration, in any case.
    static var oneOf: Self {
        let words = Value.allCases.map(\.rawValue)
        return SettingParser(
            allowed: words.joined(separator: ", "),
            placeholder: words.count > 3 ? "word" : words.joined(separator: "|"),
            parse: { Value(rawValue: $0.lowercased()) },
            format: { $0.rawValue })
    }
}

extension SettingParser where Value == String? {
    /// The path of a file or folder; empty means none. Does not check that the path can be read.
    static func path(_ allowed: String) -> Self {
        SettingParser(
            allowed: allowed, placeholder: "path",
            parse: { text in
                guard !text.unicodeScalars.contains(where: \.isControl), text.utf8.count <= 4096 else { return nil }
                return .some(text.isEmpty ? nil : text)
            },
            format: { $0 })
    }
}

extension SettingParser where Value == SecretText? {
    /// A bearer token: `b64token` of RFC 6750 §2.1. Empty means none.
    static var token: Self {
        SettingParser(
            allowed: "1 to 512 of the characters A-Z a-z 0-9 - . _ ~ + / =", placeholder: "token",
            parse: { text in
                guard text.utf8.count <= 512, text.utf8.allSatisfy(\.isTokenByte) else { return nil }
                return .some(text.isEmpty ? nil : SecretText(revealed: text))
            },
            format: { $0?.revealed })
    }
}

extension SettingParser where Value == String {
    /// An address to listen on.
    static var host: Self {
        SettingParser(
            allowed: "an IPv4 or IPv6 address or a host name", placeholder: "address",
            parse: { ListeningHost.isValid($0) ? $0 : nil },
            format: { $0 })
    }
}

extension SettingParser where Value == [String] {
    /// Origins that may call the server from a browser.
    static var origins: Self {
        SettingParser(
            allowed: "\"*\" or origins such as https://example.org, as a JSON list or separated by commas",
            placeholder: "origins",
            parse: OriginList.parse,
            // An origin contains no character that JSON escapes.
            format: { origins in "[" + origins.map { "\"\($0)\"" }.joined(separator: ", ") + "]" })
    }
}

extension Unicode.Scalar {
    /// Whether this is a control character: C0, DEL or C1.
    var isControl: Bool { properties.generalCategory == .control }
}

extension UInt8 {
    fileprivate var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~+/=".utf8.contains(self)
        }
    }
}
