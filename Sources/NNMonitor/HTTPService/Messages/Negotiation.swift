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

extension HTTPRequest {
    /// Whether `Accept` names a media type and does not prefer another one to it (RFC 9110 section 12.5.1).
    ///
    /// Ranges such as `*/*` stand for `other` alone: a client that reads a special type names it.
    ///
    /// - Parameters:
    ///   - type: the media type, in lower case without parameters.
    ///   - other: the type that is served otherwise, in the same form.
    /// - Returns: whether to serve `type`.
    package func prefers(_ type: StaticString, to other: StaticString) -> Bool {
        guard let named = quality(of: type, range: nil), named > 0 else { return false }
        let group = "\(other)".prefix { $0 != "/" } + "/*"
        return named >= quality(of: other, range: String(group)) ?? 0
    }

    /// The quality of a media type by the most specific element of `Accept` that matches it.
    ///
    /// - Parameters:
    ///   - type: the media type.
    ///   - range: the range of all its subtypes; `nil` if ranges do not count.
    /// - Returns: the quality; `nil` if nothing matches.
    private func quality(of type: StaticString, range: String?) -> Double? {
        var best: (rank: Int, quality: Double)?
        for (name, value) in headers where name.isSame(as: "accept") {
            for element in value.elements {
                let end = element.firstIndex(of: UInt8(ascii: ";")) ?? element.endIndex
                let media = element[..<end].trimmed
                let rank =
                    media.isSame(as: type)
                    ? 3 : range.map { media.elementsEqual($0.utf8) ? 2 : media.isSame(as: "*/*") ? 1 : 0 } ?? 0
                guard rank > 0, rank >= best?.rank ?? 0 else { continue }
                let parameters = end == element.endIndex ? nil : element[element.index(after: end)...]
                let quality = parameters.map(AcceptEncoding.quality) ?? 1
                best = (rank, rank == best?.rank ? max(quality, best?.quality ?? 0) : quality)
            }
        }
        return best?.quality
    }
}
