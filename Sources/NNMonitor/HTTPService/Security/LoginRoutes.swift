import NIOCore
import NIOHTTP1

/// `POST /login` and `POST /logout`: how a browser trades a token for a session and gives it back.
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
                name: "Set-Cookie", value: self.authenticator.beginSession(for: entry, secure: request.secure))
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
            name: "Set-Cookie", value: self.authenticator.endSession(request.headers, secure: request.secure))
        return response
    }

    /// A foreign page must not log a browser in as somebody else, nor out. The lenient rule, since a plain form on
    /// plain HTTP shows neither `Origin` nor `Sec-Fetch-Site`.
    private func refuseForeign(_ request: HTTPRequest) throws {
        guard OriginCheck.passes(request.headers, secure: request.secure, rule: .notForeign(self.cors)) else {
            throw HTTPError(.foreignOrigin)
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
            message: "Too many wrong tokens from this address; try again in \(seconds) s")
        response.headers.add(name: "Retry-After", value: String(seconds))
        return response
    }

    static var foreignOrigin: HTTPResponse {
        .error(.forbidden, code: "forbidden", message: "The request comes from another origin")
    }
}
