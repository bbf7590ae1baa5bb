import Compression
import NIOHTTP1

/// The coding of a request's body, from `Content-Encoding` (RFC 9110 §8.4).
enum RequestCoding: Equatable, Sendable {
    case identity
    case compressed(CompressionFormat)

    /// - Returns: nil for a coding that is not taken, and for a list of two: a 415.
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

/// What the client takes for an answer, from `Accept-Encoding` (RFC 9110 §12.5.3).
enum AcceptEncoding {
    /// Whether gzip is acceptable and not less liked than no coding at all.
    static func takesGzip(_ headers: HTTPHeaders) -> Bool {
        guard headers.contains(name: "accept-encoding") else { return false }
        var gzip: Double?
        var identity: Double?
        var any: Double?
        for item in headers[canonicalForm: "accept-encoding"] {
            let parts = item.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(
                Substring.init)
            guard let name = parts.first?.trimmed.lowercased() else { continue }
            var quality = 1.0
            for parameter in parts.dropFirst() {
                let text = parameter.trimmed.lowercased()
                if text.hasPrefix("q=") { quality = Double(text.dropFirst(2)) ?? 0 }
            }
            switch name {
            case "gzip", "x-gzip": gzip = max(gzip ?? 0, quality)
            case "identity": identity = quality
            case "*": any = quality
            default: break
            }
        }
        let wanted = gzip ?? any ?? 0
        return wanted > 0 && wanted >= (identity ?? 0)
    }
}
