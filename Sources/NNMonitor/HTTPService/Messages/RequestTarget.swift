/// A parsed request target (RFC 9112 section 3.2): origin-form, absolute-form, or the `*` of OPTIONS. `RequestLine` has
/// already rejected fragments and bytes that a URI cannot contain.
struct RequestTarget: Sendable {
    /// The scheme and authority of the absolute form; nil in the other forms.
    var origin: (isSecure: Bool, authority: String)?
    /// The path as sent, from the first slash, without the query; `*` for the asterisk form.
    var path: String
    /// The path's segments. They are split before percent-decoding, so `%2F` does not split a segment.
    var segments: [String]
    /// The query as sent, without the question mark; nil if there is none.
    var rawQuery: String?
    var query: [(name: String, value: String)]

    /// Parses a target; nil, for a 400, if it has none of the forms or is not well encoded.
    init?(_ uri: String) {
        var rest = Substring(uri)
        if rest == "*" {
            self.init(path: "*", segments: [], rawQuery: nil, query: [])
            return
        }
        var origin: (isSecure: Bool, authority: String)?
        if rest.utf8.first != UInt8(ascii: "/") {
            // Absolute-form: servers must accept it (RFC 9112 section 3.2.2).
            guard let scheme = ["http://", "https://"].first(where: { rest.lowercasedHasPrefix($0) }) else {
                return nil
            }
            rest = rest.dropFirst(scheme.utf8.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            origin = (scheme == "https://", String(authority))
            rest = rest[authority.endIndex...]
        }
        let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?"))
        let path = rest[..<(mark ?? rest.endIndex)]
        let rawQuery = mark.map { rest[rest.utf8.index(after: $0)...] }
        guard let query = PercentCoding.pairs(rawQuery ?? "") else { return nil }
        var segments: [String] = []
        if path.utf8.count > 1 {
            let bytes = path.utf8.dropFirst()
            for segment in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
                guard let decoded = PercentCoding.decoded(Substring(segment)) else { return nil }
                segments.append(decoded)
            }
        }
        self.init(
            path: path.isEmpty ? "/" : String(path), segments: segments, rawQuery: rawQuery.map(String.init),
            query: query)
        self.origin = origin
    }

    private init(path: String, segments: [String], rawQuery: String?, query: [(name: String, value: String)]) {
        self.path = path
        self.segments = segments
        self.rawQuery = rawQuery
        self.query = query
    }

    /// The target without its trailing slash, and its path and query for a redirect; nil if the path has none.
    var withoutTrailingSlash: (target: RequestTarget, location: String)? {
        guard self.path.utf8.count > 1, self.path.utf8.last == UInt8(ascii: "/") else { return nil }
        var target = self
        target.path = String(self.path.dropLast())
        target.segments = Array(self.segments.dropLast())
        return (target, target.path + (self.rawQuery.map { "?" + $0 } ?? ""))
    }
}

extension Substring {
    fileprivate func lowercasedHasPrefix(_ prefix: String) -> Bool {
        self.prefix(prefix.count).lowercased() == prefix
    }
}
