import Foundations
import NIOHTTP1

/// What this server asks of content types.
enum MediaType {
    /// The type of a `Content-Type` value, without parameters, in lower case.
    static func essence(_ value: String) -> String {
        // What nearly every request and answer has.
        if value == "application/json" { return value }
        return String(value.prefix { $0 != ";" }).trimmed.lowercased()
    }

    /// `application/json`, `application/*+json`, or no content type at all.
    static func isJSON(_ headers: HTTPHeaders) -> Bool {
        guard let value = headers.first(name: "content-type") else { return true }
        let essence = Self.essence(value)
        return essence == "application/json"
            || (essence.hasPrefix("application/") && essence.hasSuffix("+json")
                && essence.utf8.count > "application/+json".utf8.count)
    }

    static func isForm(_ headers: HTTPHeaders) -> Bool {
        guard let value = headers.first(name: "content-type") else { return false }
        return Self.essence(value) == "application/x-www-form-urlencoded"
    }

    /// Whether gzip makes a body of this type smaller.
    static func isCompressible(_ value: String) -> Bool {
        let essence = Self.essence(value)
        if essence.hasPrefix("text/") || essence.hasSuffix("+json") || essence.hasSuffix("+xml") { return true }
        return [
            "application/json", "application/javascript", "application/x-ndjson", "application/xml",
            "application/manifest+json", "application/wasm",
        ].contains(essence)
    }
}
