import Foundations
import NIOHTTP1

/// The conditional headers of a request: `If-Match` and its kin (RFC 9110 section 13).
struct Preconditions {
    /// The effect of the conditions on a GET or HEAD that would otherwise get 200.
    enum Outcome: Equatable {
        case proceed
        /// The client has the current version: 304.
        case notModified
        /// The client expects another version: 412.
        case failed
    }

    let headers: HTTPHeaders

    /// Evaluates the conditions in the order of RFC 9110 section 13.2.2.
    ///
    /// - Parameters:
    ///   - tag: the strong entity tag of the current representation.
    ///   - modified: the modification time in seconds since 1970.
    /// - Returns: the effect on the request.
    func outcome(tag: String, modified: Int) -> Outcome {
        if let tags = EntityTags(self.headers, "if-match") {
            guard tags.contain(tag, weakly: false) else { return .failed }
        } else if let date = self.date("if-unmodified-since"), modified > date {
            return .failed
        }
        if let tags = EntityTags(self.headers, "if-none-match") {
            return tags.contain(tag, weakly: true) ? .notModified : .proceed
        }
        if let date = self.date("if-modified-since"), modified <= date { return .notModified }
        return .proceed
    }

    /// Whether a part may be sent (`If-Range`): without the field, or if it has the strong tag or exactly the
    /// modification date. Weak tags never match.
    func partsFit(tag: String, modified: Int) -> Bool {
        let values = self.headers["if-range"]
        guard let value = values.first?.trimmed else { return true }
        return values.count == 1 && (value == tag || HTTPDate.parse(value) == modified)
    }

    /// The date of a field; nil if the field is absent, repeated, or not a date. Such fields are ignored.
    private func date(_ name: String) -> Int? {
        let values = self.headers[name]
        return values.count == 1 ? HTTPDate.parse(values[0].trimmed) : nil
    }
}

/// The entity tags of `If-Match` or `If-None-Match`; `*` matches any.
private struct EntityTags {
    private let isAny: Bool
    private let tags: [String]

    /// Reads the field `name`; nil if it is absent.
    init?(_ headers: HTTPHeaders, _ name: String) {
        let values = headers[name]
        guard !values.isEmpty else { return nil }
        self.isAny = values.count == 1 && values[0].trimmed == "*"
        // Splitting at commas may break a foreign quoted tag, but our tags contain none, so no fragment equals one of
        // ours.
        self.tags = headers[canonicalForm: name].map { String($0) }
    }

    func contain(_ tag: String, weakly: Bool) -> Bool {
        self.isAny || self.tags.contains { $0 == tag || (weakly && $0 == "W/" + tag) }
    }
}
