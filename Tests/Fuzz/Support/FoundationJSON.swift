import Foundation

/// Parses JSON with Foundation: the oracle for our decoder.
enum FoundationJSON {
    /// The value of a text; `nil` if Foundation rejects it.
    ///
    /// Uses `JSONDecoder`, because `JSONSerialization` parses 0.30000000000000004 as 0.3000000000000001.
    static func read(_ bytes: some Sequence<UInt8>) -> Any? {
        (try? JSONDecoder().decode(Value.self, from: Data(bytes)))?.value
    }

    /// Any JSON value.
    private struct Value: Decodable {
        let value: Any

        init(from decoder: any Decoder) throws {
            let single = try decoder.singleValueContainer()
            if single.decodeNil() {
                value = NSNull()
            } else if let bool = try? single.decode(Bool.self) {
                value = bool
            } else if let text = try? single.decode(String.self) {
                value = text
            } else if let list = try? single.decode([Value].self) {
                value = list.map(\.value)
            } else if let object = try? single.decode([String: Value].self) {
                value = object.mapValues(\.value)
            } else {
                value = try single.decode(Double.self)
            }
        }
    }

    /// The number at a path of keys and indices; `nil` if there is none.
    static func number(_ value: Any?, _ path: Any...) -> Double? { walk(value, path) as? Double }

    /// The string at a path; `nil` if there is none.
    static func text(_ value: Any?, _ path: Any...) -> String? { walk(value, path) as? String }

    /// The value at a path; `nil` if there is none.
    static func value(_ value: Any?, _ path: Any...) -> Any? { walk(value, path) }

    private static func walk(_ value: Any?, _ path: [Any]) -> Any? {
        path.reduce(value) { value, place in
            switch place {
            case let key as String: (value as? [String: Any])?[key]
            case let index as Int: (value as? [Any]).flatMap { index < $0.count ? $0[index] : nil }
            default: nil
            }
        }
    }

    /// Whether any object in a text may have duplicate keys. Parsers choose different values for them, so results
    /// cannot be compared.
    ///
    /// - Parameter bytes: valid JSON.
    /// - Returns: false only if there are no duplicate keys.
    static func hasDuplicateKeys(_ bytes: some Sequence<UInt8>) -> Bool {
        // Foundation drops all but one of the duplicates, so its value has fewer strings than the text.
        guard let value = read(bytes) else { return false }
        return strings(in: bytes) != keysAndStrings(of: value)
    }

    /// The number of strings in a JSON text, including keys.
    private static func strings(in bytes: some Sequence<UInt8>) -> Int {
        var quotes = 0
        var isEscaped = false
        for byte in bytes {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                quotes += 1
            }
        }
        return quotes / 2
    }

    private static func keysAndStrings(of value: Any) -> Int {
        switch value {
        case let object as [String: Any]: object.values.reduce(object.count) { $0 + keysAndStrings(of: $1) }
        case let list as [Any]: list.reduce(0) { $0 + keysAndStrings(of: $1) }
        case is String: 1
        default: 0
        }
    }
}
