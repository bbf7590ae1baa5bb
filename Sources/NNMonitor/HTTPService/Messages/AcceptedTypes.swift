import Foundations
import NIOHTTP1

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
