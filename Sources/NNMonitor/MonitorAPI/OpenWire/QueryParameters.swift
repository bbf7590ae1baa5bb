import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// Reads the parameters of a query and collects their errors.
struct QueryParameters {
    private let query: [(name: String, value: String)]
    private var issues: [PayloadIssue] = []

    init(_ request: HTTPRequest) { query = request.query }

    /// Ends the reading.
    ///
    /// - Throws: `HTTPError` with 422 if a parameter is invalid.
    func finish() throws {
        guard !issues.isEmpty else { return }
        let rejection = RejectedPayload(issues: issues, part: .query)
        throw HTTPError(.json(ByteBuffer(bytes: rejection.body()), status: .unprocessableEntity))
    }

    /// The last value of a parameter; `nil` if it is absent.
    func text(_ name: String) -> String? { query.last { $0.name == name }?.value }

    /// The value of a parameter that must be present and not empty.
    mutating func requiredText(_ name: String) -> String {
        guard let text = text(name) else {
            reject(.missing, name)
            return ""
        }
        if text.isEmpty { reject(.stringTooShort(minimum: 1), name) }
        return text
    }

    /// One of several words; `nil` if the parameter is absent.
    mutating func word(_ name: String, of allowed: [String]) -> String? {
        guard let text = text(name) else { return nil }
        if allowed.contains(text) { return text }
        reject(.notAllowed(allowed), name)
        return nil
    }

    /// One of several words; the parameter must be present.
    mutating func requiredWord(_ name: String, of allowed: [String]) -> String? {
        if text(name) == nil { reject(.missing, name) }
        return word(name, of: allowed)
    }

    /// A whole number; `nil` if the parameter is absent. As pydantic reads an integer from text: white space around it,
    /// a sign, `_` between digits, and a fraction of zeros are accepted; an exponent and other bases are not.
    mutating func integer(_ name: String, atLeast minimum: Int64, atMost maximum: Int64 = .max) -> Int64? {
        guard let text = text(name) else { return nil }
        guard let digits = Self.digits(text) else {
            reject(.textIsNoInteger, name)
            return nil
        }
        guard let value = Int64(digits) else {
            reject(.integerTooLarge, name)
            return nil
        }
        if value < minimum { reject(.notGreaterOrEqual(to: Int(minimum)), name) }
        if value > maximum { reject(.notLessOrEqual(to: Int(maximum)), name) }
        return value
    }

    /// The names in a list; `nil` for all: if the parameter is absent or the list is empty.
    func names(_ name: String) -> Set<ByteString>? {
        let items = items(name)
        return items.isEmpty ? nil : Set(items.map(Self.literal))
    }

    /// The names in a list; `nil` for all: if the parameter is absent. An empty list is none.
    func listedNames(_ name: String) -> Set<ByteString>? { text(name) == nil ? nil : names(name) ?? [] }

    /// A run id; `nil` if the parameter is absent.
    mutating func optionalRunID(_ name: String) -> RunID? { text(name) == nil ? nil : runID(name) }

    /// The patterns for layer ids in a list; `nil` for all. Ids may be written with `.` or `/`.
    func patterns(_ name: String) -> [IDPattern]? {
        let items = items(name)
        return items.isEmpty ? nil : items.map { IDPattern(parts: $0.map(Self.served)) }
    }

    /// A layer id as it is served: with `/` between its parts.
    static func served(_ id: [UInt8]) -> [UInt8] { id.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "/") : $0 } }

    /// The text of an item in which stars have no meaning.
    static func literal(_ parts: [[UInt8]]) -> ByteString {
        ByteString(decoding: Array(parts.joined(separator: [UInt8(ascii: "*")])))
    }

    /// The items of a list, each as the parts between its stars.
    ///
    /// Values of repeated parameters are joined. Items are separated by commas; `\\,`, `\\*` and `\\\\` are literal.
    func items(_ name: String) -> [[[UInt8]]] {
        var items: [[[UInt8]]] = []
        for (key, value) in query where key == name && !value.isEmpty {
            var parts: [[UInt8]] = [[]]
            var isEscaped = false
            for byte in value.utf8 {
                let isSpecial = byte == UInt8(ascii: ",") || byte == UInt8(ascii: "*") || byte == UInt8(ascii: "\\")
                if isEscaped {
                    if !isSpecial { parts[parts.count - 1].append(UInt8(ascii: "\\")) }
                    parts[parts.count - 1].append(byte)
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: ",") {
                    items.append(parts)
                    parts = [[]]
                } else if byte == UInt8(ascii: "*") {
                    parts.append([])
                } else {
                    parts[parts.count - 1].append(byte)
                }
            }
            if isEscaped { parts[parts.count - 1].append(UInt8(ascii: "\\")) }
            items.append(parts)
        }
        return items
    }

    mutating func reject(_ kind: PayloadIssue.Kind, _ name: String) {
        issues.append(PayloadIssue(kind, at: [.key(name)]))
    }

    /// The sign and the digits of a whole number; `nil` if the text is none.
    private static func digits(_ text: String) -> String? {
        let bytes = text.utf8
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return nil }
        var rest = bytes[first...last]
        var digits: [UInt8] = []
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            if sign == UInt8(ascii: "-") { digits.append(sign) }
            rest = rest.dropFirst()
        }
        let parts = rest.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts[1].isEmpty || parts[1].contains(where: { $0 != UInt8(ascii: "0") }) { return nil }
        for group in parts[0].split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false) {
            guard !group.isEmpty, group.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
                return nil
            }
            digits += group
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
