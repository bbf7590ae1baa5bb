import Foundations
import NIOHTTP1

/// Which other origins' pages may read this server's answers (the Fetch standard, "CORS protocol").
///
/// Credentials are never allowed across origins, with `*` or without: a page of a listed origin shows a bearer token,
/// which its script adds by itself. So a session cookie is of use to the server's own pages only.
package enum CORSPolicy: Sendable, Equatable {
    /// Every origin: `*`.
    case any
    /// These origins, as browsers write them: `https://example.org`, without a path.
    case origins(Set<String>)

    /// The policy of a list of settings; `*` among them means any.
    package init(_ origins: [String]) {
        let names = origins.map { $0.trimmed.lowercased() }
        self = names.contains("*") ? .any : .origins(Set(names.filter { !$0.isEmpty }))
    }

    /// Whether `origin` is listed by name.
    func names(_ origin: String) -> Bool {
        switch self {
        case .any: false
        case .origins(let origins): origins.contains(origin.lowercased())
        }
    }

    /// Adds what an answer to a request from `origin` carries.
    func apply(to headers: inout HTTPHeaders, origin: String?) {
        switch self {
        case .any:
            if origin != nil {
                headers.add(name: "Access-Control-Allow-Origin", value: "*")
                headers.add(name: "Vary", value: "Origin")
            }
        case .origins:
            // An answer without the header varies too: a cache must not give it to a listed origin.
            headers.add(name: "Vary", value: "Origin")
            if let origin, self.names(origin) {
                headers.add(name: "Access-Control-Allow-Origin", value: origin)
            }
        }
    }

    /// The request headers that a page may send without asking which route it is for.
    private static let alwaysAllowed = ["Authorization", "Content-Type", "Content-Encoding"]
    /// More that are allowed when a preflight names them.
    private static let allowedOnRequest: Set<String> = [
        "accept", "accept-language", "baggage", "cache-control", "content-language", "if-modified-since",
        "if-none-match", "if-range", "pragma", "range", "sentry-trace", "traceparent", "tracestate", "x-request-id",
        "x-requested-with",
    ]

    /// The answer to a preflight for a route that takes `methods`. `Access-Control-Allow-Origin` and `Vary: Origin`
    /// are added when it is written, as for every answer.
    func preflight(_ headers: HTTPHeaders, origin: String, methods: [String]) -> HTTPResponse {
        var response = HTTPResponse(status: .noContent)
        guard self == .any || self.names(origin) else { return response }
        let asked = headers[canonicalForm: "access-control-request-headers"]
            .map { $0.lowercased() }
            .filter(Self.allowedOnRequest.contains)
        response.headers.add(name: "Access-Control-Allow-Methods", value: methods.joined(separator: ", "))
        response.headers.add(
            name: "Access-Control-Allow-Headers", value: (Self.alwaysAllowed + asked).joined(separator: ", "))
        response.headers.add(name: "Access-Control-Max-Age", value: "600")
        response.headers.add(name: "Vary", value: "Access-Control-Request-Method, Access-Control-Request-Headers")
        return response
    }
}
