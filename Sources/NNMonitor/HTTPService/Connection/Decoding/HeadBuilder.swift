import NIOHTTP1

/// Builds the head of a request from its lines, and rejects heads that servers and proxies interpret differently
/// (request smuggling, RFC 9112 section 11.2).
struct HeadBuilder {
    /// Fields that must be unique.
    private struct Unique: OptionSet {
        let rawValue: UInt8
        static let host = Unique(rawValue: 1)
        static let origin = Unique(rawValue: 2)
        static let authorization = Unique(rawValue: 4)
        static let contentType = Unique(rawValue: 8)
    }

    let method: HTTPMethod
    let uri: String
    private let isHTTP10: Bool
    private var fields: [(String, String)] = []
    private var seen: Unique = []
    private var options: ConnectionOptions = []
    private var length: Int?
    private var codings: [String] = []

    /// - Parameters:
    ///   - line: the request line.
    ///   - bytes: the bytes that were scanned.
    ///   - capacity: the number of fields to reserve memory for.
    /// - Throws: the failure if the method is unknown or the target has none of the forms of RFC 9112 section 3.2.
    init(_ line: RequestLine, in bytes: Span<UInt8>, capacity: Int) throws(RequestFailure) {
        method = try HTTPMethod(bytes.extracting(line.method))
        let target = bytes.extracting(line.target)
        guard method == .CONNECT || Self.isTarget(target) else {
            throw .malformed("The request's target is not valid")
        }
        uri = target.text
        isHTTP10 = line.isHTTP10
        fields.reserveCapacity(capacity)
    }

    /// Whether a target begins like the origin-form, the asterisk-form or the absolute-form.
    private static func isTarget(_ target: Span<UInt8>) -> Bool {
        if target[0] == UInt8(ascii: "/") || target[0] == UInt8(ascii: "*") { return true }
        var index = 0
        while index < target.count, target[index].isLetter { index += 1 }
        return index > 0 && target.count > index + 2 && target.extracting(index..<index + 3).isEqual(to: "://")
    }

    /// Adds a field.
    mutating func add(_ line: FieldLine, in bytes: Span<UInt8>) throws(RequestFailure) {
        let name = bytes.extracting(line.name)
        let value = bytes.extracting(line.value)
        // The most frequent value that is longer than a small string: the literal needs no allocation.
        let text = value.isEqual(to: "application/json") ? "application/json" : value.text
        // The lengths of these names differ, so one comparison decides.
        switch name.count {
        case 4: try markUnique(.host, name, "host", "Host")
        case 6: try markUnique(.origin, name, "origin", "Origin")
        case 10: if name.isSame(as: "connection") { options.formUnion(ConnectionOptions(listedIn: text)) }
        case 12: try markUnique(.contentType, name, "content-type", "Content-Type")
        case 13: try markUnique(.authorization, name, "authorization", "Authorization")
        case 14:
            if name.isSame(as: "content-length") { try addLength(value) }
            try refuseDisguise(name, of: "content-length")
        case 17:
            if name.isSame(as: "transfer-encoding") { codings.append(text) }
            try refuseDisguise(name, of: "transfer-encoding")
        default: break
        }
        fields.append((name.text, text))
    }

    private mutating func markUnique(
        _ field: Unique, _ name: Span<UInt8>, _ lowercased: StaticString, _ title: String
    ) throws(RequestFailure) {
        guard name.isSame(as: lowercased) else { return }
        guard seen.insert(field).inserted else { throw .malformed("The request has more than one \(title) header") }
    }

    /// Rejects a name that a CGI-like gateway would treat as a framing header: it maps `Transfer_Encoding` and
    /// `Transfer-Encoding` to the same variable `HTTP_TRANSFER_ENCODING` (RFC 3875 section 4.1.18). Servers disagree
    /// about such names.
    private func refuseDisguise(_ name: Span<UInt8>, of framing: StaticString) throws(RequestFailure) {
        var isDisguised = false
        for index in name.indices {
            // The position is within `framing`, which has the length of the name.
            let expected = unsafe framing.utf8Start[index]
            if name[index] == UInt8(ascii: "_"), expected == UInt8(ascii: "-") {
                isDisguised = true
            } else if name[index] | 0x20 != expected {
                return
            }
        }
        guard !isDisguised else {
            throw .malformed("Content-Length and Transfer-Encoding must be written with a hyphen")
        }
    }

    private mutating func addLength(_ value: Span<UInt8>) throws(RequestFailure) {
        let malformed = RequestFailure.malformed("The Content-Length is not valid")
        guard length == nil, !value.isEmpty else { throw malformed }
        var total: UInt64 = 0
        for index in value.indices {
            let digit = value[index] &- UInt8(ascii: "0")
            let (tens, isTooLarge) = total.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tens.addingReportingOverflow(UInt64(digit))
            guard digit <= 9, !isTooLarge, !overflows else { throw malformed }
            total = sum
        }
        // A value that overflows `Int` exceeds every limit.
        length = Int(clamping: total)
    }

    /// Ends the head.
    ///
    /// - Throws: the failure if the framing of the body is ambiguous or unknown.
    func finish() throws(RequestFailure) -> RequestHead {
        var framing = length.map { BodyFraming.length($0) } ?? .none
        if !codings.isEmpty {
            try checkCodings()
            framing = .chunked
        }
        return RequestHead(
            method: method, uri: uri, isHTTP10: isHTTP10, headers: HTTPHeaders(fields), framing: framing,
            options: options)
    }

    private func checkCodings() throws(RequestFailure) {
        guard length == nil else {
            throw .malformed("A request must not have both Transfer-Encoding and Content-Length")
        }
        guard !isHTTP10 else { throw .malformed("HTTP/1.0 does not allow Transfer-Encoding") }
        let names = codings.flatMap { $0.elements.map { $0 } }
        // Servers disagree about empty list elements, and about what follows the chunked coding.
        guard !names.contains(where: \.isEmpty), !names.dropLast().contains(where: { $0.isSame(as: "chunked") }) else {
            throw .malformed("The Transfer-Encoding is not valid")
        }
        guard names.count == 1, names[0].isSame(as: "chunked") else { throw .transferCodingUnknown }
    }
}
