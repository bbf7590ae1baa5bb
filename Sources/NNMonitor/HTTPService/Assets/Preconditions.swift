import Foundations
import NIOHTTP1

/// What a client makes an answer depend on: `If-Match` and its kin (RFC 9110 §13).
struct Preconditions {
    /// What becomes of a GET or HEAD that would be answered 200 without them.
    enum Outcome: Equatable {
        case proceed
        /// The client has it already: 304.
        case notModified
        /// It is not what the client thinks: 412.
        case failed
    }

    let headers: HTTPHeaders

    /// In the order of RFC 9110 §13.2.2.
    /// - Parameters:
    ///   - tag: The strong entity tag of what would be sent.
    ///   - modified: When that last changed, in seconds since 1970.
    /// - Returns: What becomes of the request.
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

    /// Whether a part may be sent to somebody who has other parts (`If-Range`): a weak tag never matches, a date must be
    /// the very one.
    func partsFit(tag: String, modified: Int) -> Bool {
        let values = self.headers["if-range"]
        guard let value = values.first?.trimmed else { return true }
        return values.count == 1 && (value == tag || HTTPDate.parse(value) == modified)
    }

    /// Nil as well for what is no date or stands there twice: such a field is ignored.
    private func date(_ name: String) -> Int? {
        let values = self.headers[name]
        return values.count == 1 ? HTTPDate.parse(values[0].trimmed) : nil
    }
}

/// The entity tags of `If-Match` or `If-None-Match`, or the `*` for whatever there is.
private struct EntityTags {
    private let isAny: Bool
    private let tags: [String]

    /// - Returns: nil when there is no such field.
    init?(_ headers: HTTPHeaders, _ name: String) {
        let values = headers[name]
        guard !values.isEmpty else { return nil }
        self.isAny = values.count == 1 && values[0].trimmed == "*"
        // A tag may have a comma. Cut there, it makes no two of which one could be taken for a tag of this server.
        self.tags = headers[canonicalForm: name].map { String($0) }
    }

    func contain(_ tag: String, weakly: Bool) -> Bool {
        self.isAny || self.tags.contains { $0 == tag || (weakly && $0 == "W/" + tag) }
    }
}
