import Logging

extension ValueKind where Value == Int {
    /// A whole number in a range; `note` adds what one of the numbers means.
    static func wholeNumber(_ range: ClosedRange<Int>, note: String? = nil) -> Self {
        let bounds =
            range.upperBound == .max
            ? "a whole number of \(range.lowerBound) or more"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return ValueKind(allowed: note.map { "\(bounds); \($0)" } ?? bounds, placeholder: "number") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension ValueKind where Value == Duration {
    /// A time in seconds, whole or decimal, to the millisecond.
    static var seconds: Self {
        ValueKind(allowed: "seconds from 0.001 to 86400, decimals allowed", placeholder: "seconds") { text in
            // Double() alone would also take "inf", "1e3" and hexadecimal.
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
                let seconds = Double(text), seconds >= 0.001, seconds <= 86_400
            else { return nil }
            return .milliseconds(Int64((seconds * 1000).rounded()))
        }
    }
}

extension ValueKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    static var oneOf: Self {
        let words = Value.allCases.map(\.rawValue)
        return ValueKind(
            allowed: words.joined(separator: ", "), placeholder: words.count > 3 ? "word" : words.joined(separator: "|")
        ) { Value(rawValue: $0.lowercased()) }
    }
}

extension ValueKind where Value == String? {
    /// A path of a file or folder. Whether it can be read is for whoever opens it to say. Empty means none.
    static func path(_ what: String) -> Self {
        ValueKind(allowed: what, placeholder: "path") { text in
            guard !text.unicodeScalars.contains(where: \.isControl), text.utf8.count <= 4096 else { return nil }
            return .some(text.isEmpty ? nil : text)
        }
    }
}

extension ValueKind where Value == SecretText? {
    /// A bearer token: `b64token` of RFC 6750 §2.1. Empty means none.
    static var token: Self {
        ValueKind(allowed: "1 to 512 of the characters A-Z a-z 0-9 - . _ ~ + / =", placeholder: "token") { text in
            guard text.utf8.count <= 512, text.utf8.allSatisfy(\.isTokenByte) else { return nil }
            return .some(text.isEmpty ? nil : SecretText(revealed: text))
        }
    }
}

extension ValueKind where Value == String {
    /// An address to listen on.
    static var host: Self {
        ValueKind(allowed: "an IPv4 or IPv6 address or a host name", placeholder: "address") { text in
            ListeningHost.isValid(text) ? text : nil
        }
    }
}

extension ValueKind where Value == [String] {
    /// The origins that may call the server from a browser.
    static var origins: Self {
        ValueKind(
            allowed: "\"*\" or origins such as https://example.org, as a JSON list or separated by commas",
            placeholder: "origins",
            parse: OriginList.parse)
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
