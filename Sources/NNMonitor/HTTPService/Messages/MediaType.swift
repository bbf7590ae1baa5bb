import Foundations
import NIOHTTP1

/// Functions on `Content-Type` values.
enum MediaType {
    /// The media type of a `Content-Type` value, in lower case, without parameters.
    static func essence(_ value: String) -> String {
        // Fast path: the most frequent value.
        if value == "application/json" { return value }
        return String(value.prefix { $0 != ";" }).trimmed.lowercased()
    }

    /// Whether the content type is `application/json`, `application/*+json`, or absent.
    static func isJSON(_ headers: HTTPHeaders) -> Bool {
        guard let value = headers.first(name: "content-type") else { return true }
        let essence = Self.essence(value)
        return essence == "application/json"
            || (essence.hasPrefix("application/") && essence.hasSuffix("+json")
                && essence.utf8.count > "application/+json".utf8.count)
    }

    /// Whether the content type is `application/x-ndjson`.
    static func isLines(_ headers: HTTPHeaders) -> Bool {
        guard let value = headers.first(name: "content-type") else { return false }
        return Self.essence(value) == "application/x-ndjson"
    }

    static func isForm(_ headers: HTTPHeaders) -> Bool {
        guard let value = headers.first(name: "content-type") else { return false }
        return Self.essence(value) == "application/x-www-form-urlencoded"
    }

    /// Whether gzip reduces bodies of this media type.
    static func isCompressible(_ value: String) -> Bool {
        let essence = Self.essence(value)
        if essence.hasPrefix("text/") || essence.hasSuffix("+json") || essence.hasSuffix("+xml") { return true }
        return [
            "application/json", "application/javascript", "application/x-ndjson", "application/xml",
            "application/manifest+json", "application/wasm",
        ].contains(essence)
    }
}
