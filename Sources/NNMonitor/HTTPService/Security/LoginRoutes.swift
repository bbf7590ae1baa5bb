import NIOCore
import NIOHTTP1

/// `POST /login` exchanges a token for a session cookie; `POST /logout` ends the session.
struct LoginRoutes: Sendable {
    let authenticator: Authenticator
    let assets: StaticAssets
    let cors: CORSPolicy

    var routes: [Route] {
        [
            .on(.POST, "/login", scope: nil, body: .form) { try self.login($0) },
            .on(.POST, "/logout", scope: nil, body: .none) { try self.logout($0) },
        ]
    }

    private func login(_ request: HTTPRequest) throws -> HTTPResponse {
        try self.refuseForeign(request)
        guard let pairs = PercentCoding.pairs(Substring(String(buffer: request.body))),
            let token = pairs.last(where: { $0.name == "token" })?.value
        else {
            throw HTTPError(.badRequest, code: "bad_request", message: "The form must have one field, 'token'")
        }
        guard !self.authenticator.isOpen else { return .redirect(to: "/") }
        switch self.authenticator.check(token, peer: request.peer) {
        case .valid(let entry):
            var response = HTTPResponse.redirect(to: "/")
            response.headers.add(
                name: "Set-Cookie",
                value: self.authenticator.beginSession(for: entry, port: request.port, secure: request.secure))
            return response
        case .wrong:
            guard let page = self.assets.asset(at: "/login") else {
                return .unauthorized("The token is not valid")
            }
            return HTTPResponse(
                status: .unauthorized,
                headers: [
                    "Content-Type": page.contentType, "Cache-Control": "no-store", "WWW-Authenticate": "Bearer",
                ],
                body: .bytes(page.bytes))
        case .limited(let seconds):
            return .tooManyFailures(seconds: seconds)
        }
    }

    private func logout(_ request: HTTPRequest) throws -> HTTPResponse {
        try self.refuseForeign(request)
        var response = HTTPResponse.redirect(to: "/login")
        response.headers.add(
            name: "Set-Cookie",
            value: self.authenticator.endSession(request.headers, port: request.port, secure: request.secure))
        return response
    }

    /// Rejects forms from foreign pages, which must not log a browser in to another account or out. The rule is
    /// `.notForeign`, because browsers send neither `Origin` nor `Sec-Fetch-Site` with some forms over plain HTTP.
    private func refuseForeign(_ request: HTTPRequest) throws {
        guard OriginCheck.passes(request.headers, secure: request.secure, rule: .notForeign(self.cors)) else {
            throw HTTPError(.foreignOrigin(request.headers, secure: request.secure, mayBeListed: false))
        }
    }
}

extension HTTPResponse {
    static func unauthorized(_ message: String) -> HTTPResponse {
        var response = HTTPResponse.error(.unauthorized, code: "unauthorized", message: message)
        response.headers.add(name: "WWW-Authenticate", value: "Bearer")
        return response
    }

    static func tooManyFailures(seconds: Int) -> HTTPResponse {
        var response = HTTPResponse.error(
            .tooManyRequests, code: "too_many_failures",
            message:
                "The token is not valid, and too many wrong tokens came from this address; try again in \(seconds) s")
        response.headers.add(name: "Retry-After", value: String(seconds))
        return response
    }

    static func missingScope(_ scope: Scope, _ identity: Identity) -> HTTPResponse {
        .error(
            .forbidden, code: "forbidden", message: "The token '\(identity.name)' lacks the scope '\(scope.rawValue)'")
    }

    /// Names both origins in the message: behind a proxy that terminates TLS they differ although the page is this
    /// server's own.
    ///
    /// - Parameters:
    ///   - headers: the request's headers.
    ///   - secure: whether the connection is TLS.
    ///   - mayBeListed: whether listing the origin in `NN_MONITOR_CORS_ORIGINS` would allow the request.
    /// - Returns: a 403.
    static func foreignOrigin(_ headers: HTTPHeaders, secure: Bool, mayBeListed: Bool) -> HTTPResponse {
        let origin = headers.first(name: "origin").map { "the origin \($0.prefix(100))" } ?? "another site"
        let remedy =
            mayBeListed
            ? "To let pages of another origin call the server, list it in NN_MONITOR_CORS_ORIGINS"
            : "If a proxy in front of the server ends TLS, let it also use TLS to the server (NN_MONITOR_TLS=dev is enough) "
                + "and pass the Host header unchanged; see SECURITY.md, 'Behind a proxy'"
        return .error(
            .forbidden, code: "forbidden",
            message: "The request comes from \(origin), but this server's own is "
                + "\(OriginCheck.ownOrigin(headers, secure: secure)). \(remedy)")
    }
}
