import Foundations
import NIOHTTP1

/// The headers with which a client revalidates its copy: `If-None-Match` and `If-Modified-Since` (RFC 9110 section
/// 13.1). The server ignores the other conditional headers, and ranges.
struct Revalidation {
    let headers: HTTPHeaders

    /// Whether the client's copy is the current version. `If-None-Match` has precedence (RFC 9110 section 13.2.2).
    ///
    /// - Parameters:
    ///   - tag: the strong entity tag of the current representation.
    ///   - modified: the modification time in seconds since 1970.
    /// - Returns: whether to send 304.
    func succeeds(tag: String, modified: Int) -> Bool {
        let values = self.headers["if-none-match"]
        if !values.isEmpty {
            if values.count == 1, values[0].trimmed == "*" { return true }
            // Splitting at commas may break a foreign quoted tag, but our tags contain none, so no fragment equals one
            // of ours. The comparison is weak (RFC 9110 section 13.1.2).
            return self.headers[canonicalForm: "if-none-match"].contains { $0 == tag || $0 == "W/" + tag }
        }
        // A repeated field, and one that is not a date, is ignored.
        let dates = self.headers["if-modified-since"]
        guard dates.count == 1, let date = HTTPDate.parse(dates[0].trimmed) else { return false }
        return modified <= date
    }
}
