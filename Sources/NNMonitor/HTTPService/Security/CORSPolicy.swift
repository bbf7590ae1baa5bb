import Foundations
import NIOHTTP1

/// The origins whose pages may read this server's responses (the Fetch standard, "CORS protocol").
///
/// Credentials are never allowed across origins, not even for listed ones: a script on a page of another origin must
/// send a bearer token. Session cookies therefore serve only the server's own pages.
package enum CORSPolicy: Sendable, Equatable {
    /// Every origin (`*`).
    case any
    /// These origins, as browsers serialize them: `https://example.org`, without a path.
    case origins(Set<String>)

    /// Creates the policy from the configured origins; `*` among them means any origin.
    package init(_ origins: [String]) {
        let names = origins.map { $0.trimmed.lowercased() }
        self = names.contains("*") ? .any : .origins(Set(names.filter { !$0.isEmpty }))
    }

    /// Whether `origin` is listed by name.
    func lists(_ origin: String) -> Bool {
        switch self {
        case .any: false
        case .origins(let origins): origins.contains(origin.lowercased())
        }
    }

    /// Adds the CORS headers of a response to a request from `origin`.
    func apply(to headers: inout HTTPHeaders, origin: String?) {
        switch self {
        case .any:
            if origin != nil {
                headers.add(name: "Access-Control-Allow-Origin", value: "*")
                headers.add(name: "Vary", value: "Origin")
            }
        case .origins:
            // Vary also if `origin` is not listed: a cache must not serve this response to a listed origin.
            headers.add(name: "Vary", value: "Origin")
            if let origin, self.lists(origin) {
                headers.add(name: "Access-Control-Allow-Origin", value: origin)
            }
        }
    }

    /// The request headers that a preflight response always allows, on every route.
    private static let alwaysAllowed = ["Authorization", "Content-Type", "Content-Encoding"]
    /// Further request headers, allowed if the preflight names them.
    private static let allowedOnRequest: Set<String> = [
        "accept", "accept-language", "baggage", "cache-control", "content-language", "if-modified-since",
        "if-none-match", "if-range", "last-event-id", "pragma", "range", "sentry-trace", "traceparent", "tracestate",
        "x-request-id", "x-requested-with",
    ]

    /// The response to a preflight for a route with `methods`, the same for every origin. `ResponseDecoration` adds
    /// `Access-Control-Allow-Origin`, which alone allows an origin, and `Vary: Origin`, as for every response.
    static func preflight(_ headers: HTTPHeaders, methods: [String]) -> HTTPResponse {
        var response = HTTPResponse(status: .noContent)
        let requested = headers[canonicalForm: "access-control-request-headers"]
            .map { $0.lowercased() }
            .filter(Self.allowedOnRequest.contains)
        response.headers.add(name: "Access-Control-Allow-Methods", value: methods.joined(separator: ", "))
        response.headers.add(
            name: "Access-Control-Allow-Headers", value: (Self.alwaysAllowed + requested).joined(separator: ", "))
        response.headers.add(name: "Access-Control-Max-Age", value: "600")
        response.headers.add(name: "Vary", value: "Access-Control-Request-Method, Access-Control-Request-Headers")
        return response
    }
}
