import Foundations
import Compression
import NIOHTTP1

/// The coding of a request's body, from `Content-Encoding` (RFC 9110 section 8.4).
enum RequestCoding: Equatable, Sendable {
    case identity
    case compressed(CompressionFormat)

    /// - Returns: the coding; nil, for a 415, if it is unsupported or there is more than one.
    static func of(_ headers: HTTPHeaders) -> RequestCoding? {
        guard headers.contains(name: "content-encoding") else { return .identity }
        let codings = headers[canonicalForm: "content-encoding"]
            .map { $0.lowercased() }
            .filter { !$0.isEmpty && $0 != "identity" }
        guard let coding = codings.first else { return .identity }
        guard codings.count == 1 else { return nil }
        switch coding {
        case "gzip", "x-gzip": return .compressed(.gzip)
        case "deflate": return .compressed(.deflate)
        default: return nil
        }
    }
}

/// The codings that the client accepts, from `Accept-Encoding` (RFC 9110 section 12.5.3).
enum AcceptEncoding {
    /// Whether gzip is acceptable and preferred at least as much as no coding.
    static func prefersGzip(_ headers: HTTPHeaders) -> Bool {
        var gzip: Double?
        var identity: Double?
        var any: Double?
        for (name, value) in headers where name.isSame(as: "accept-encoding") {
            for element in value.elements {
                let end = element.firstIndex(of: UInt8(ascii: ";")) ?? element.endIndex
                let coding = element[..<end].trimmed
                let quality = end == element.endIndex ? 1 : Self.quality(element[element.index(after: end)...])
                if coding.isSame(as: "gzip") || coding.isSame(as: "x-gzip") {
                    gzip = max(gzip ?? 0, quality)
                } else if coding.isSame(as: "identity") {
                    identity = quality
                } else if coding.isSame(as: "*") {
                    any = quality
                }
            }
        }
        let wanted = gzip ?? any ?? 0
        return wanted > 0 && wanted >= (identity ?? 0)
    }

    /// The value of the `q` parameter; 1 if it is absent, 0 if it is malformed.
    static func quality(_ parameters: Substring.UTF8View) -> Double {
        var quality = 1.0
        for parameter in parameters.split(separator: UInt8(ascii: ";")) {
            let text = parameter.trimmed
            if text.prefix(2).isSame(as: "q=") { quality = Double(Substring(text.dropFirst(2))) ?? 0 }
        }
        return quality
    }
}
