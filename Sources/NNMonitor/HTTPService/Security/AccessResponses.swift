import NIOHTTP1

/// The responses to requests that lack a valid token, a scope, or an allowed origin.
extension HTTPResponse {
    /// A 401.
    package static func unauthorized(_ message: String) -> HTTPResponse {
        var response = HTTPResponse.error(.unauthorized, code: "unauthorized", message: message)
        response.headers.add(name: "WWW-Authenticate", value: "Bearer")
        return response
    }

    /// A 429 for a wrong token from an address over the failure limit.
    ///
    /// - Parameter seconds: the time until the limit ends.
    /// - Returns: the response, with `Retry-After`.
    package static func tooManyFailures(seconds: Int) -> HTTPResponse {
        var response = HTTPResponse.error(
            .tooManyRequests, code: "too_many_failures",
            message:
                "The token is not valid, and too many wrong tokens came from this address; try again in \(seconds) s")
        response.headers.add(name: "Retry-After", value: String(seconds))
        return response
    }

    static func missingScope(_ scope: Scope, _ identity: Identity) -> HTTPResponse {
        .error(
            .forbidden, code: "forbidden", message: "The token '\(identity.name)' lacks the scope '\(scope.name)'")
    }

    /// A 403 for a request from a foreign origin. The message names both origins: behind a proxy that terminates TLS
    /// they differ although the page is this server's own.
    ///
    /// - Parameters:
    ///   - headers: the request's headers.
    ///   - secure: whether the connection is TLS.
    ///   - mayBeListed: whether listing the origin in `NN_MONITOR_CORS_ORIGINS` would allow the request.
    /// - Returns: the response.
    static func foreignOrigin(_ headers: HTTPHeaders, secure: Bool, mayBeListed: Bool) -> HTTPResponse {
        let origin = headers.first(name: "origin").map { "the origin \($0.prefix(100))" } ?? "another site"
        let remedy =
            mayBeListed
            ? "To let pages of another origin call the server, list it in NN_MONITOR_CORS_ORIGINS"
            : "If a proxy in front of the server terminates TLS, configure it to use TLS to the server too "
                + "(NN_MONITOR_TLS=dev is enough) and to pass the Host header unchanged; "
                + "see SECURITY.md, 'Behind a proxy'"
        return .error(
            .forbidden, code: "forbidden",
            message: "The request comes from \(origin), but this server's own origin is "
                + "\(OriginCheck.ownOrigin(headers, secure: secure)). \(remedy)")
    }
}
