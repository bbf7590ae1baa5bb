/// A request target taken apart (RFC 9112 §3.2): origin-form, absolute-form, or the `*` of OPTIONS. That it has no other
/// bytes than a URI, and no fragment, is known from the request line.
struct RequestTarget: Sendable {
    /// What the absolute form names before the path; nil in the others.
    var origin: (isSecure: Bool, authority: String)?
    /// As sent, from the first slash, without the query; `*` for the asterisk form.
    var path: String
    /// The path's segments, split before they are percent-decoded, so that `%2F` stays inside its segment.
    var segments: [String]
    /// As sent, without the question mark; nil when there is none.
    var rawQuery: String?
    var query: [(name: String, value: String)]

    /// - Returns: nil when the target is none of the forms or is not well encoded: a 400.
    init?(_ uri: String) {
        var rest = Substring(uri)
        if rest == "*" {
            self.init(path: "*", segments: [], rawQuery: nil, query: [])
            return
        }
        var origin: (isSecure: Bool, authority: String)?
        if rest.utf8.first != UInt8(ascii: "/") {
            // Absolute-form: a server must take it (RFC 9112 §3.2.2).
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

    /// The target without one trailing slash, when it has one; its query is kept.
    var withoutTrailingSlash: (target: RequestTarget, location: String)? {
        guard self.path.utf8.count > 1, self.path.utf8.last == UInt8(ascii: "/") else { return nil }
        var target = self
        target.path = String(self.path.dropLast())
        target.segments = Array(self.segments.dropLast())
        return (target, target.path + (self.rawQuery.map { "?" + $0 } ?? ""))
    }

    /// The query's `token`. A plus in it is a plus: tokens may contain the sign, and whoever pastes one into an address
    /// does not escape it.
    var token: String? {
        PercentCoding.pairs(Substring(self.rawQuery ?? ""), plusIsSpace: false)?.last { $0.name == "token" }?.value
    }

    /// The same path with the query's `name` left out: the clean address after a login by link.
    func location(without name: String) -> String {
        let kept = (self.rawQuery ?? "").split(separator: "&").filter { field in
            PercentCoding.decoded(field.prefix { $0 != "=" }, plusIsSpace: true) != name
        }
        return self.path + (kept.isEmpty ? "" : "?" + kept.joined(separator: "&"))
    }
}

extension Substring {
    fileprivate func lowercasedHasPrefix(_ prefix: String) -> Bool {
        self.prefix(prefix.count).lowercased() == prefix
    }
}
