package import HTTPService
import NIOCore
import NIOHTTP1

/// Exchanges a token for a session cookie: with the form of `POST /login`, or with a link, `/?token=T`.
/// `POST /logout` ends the session.
package struct BrowserLogin: PageLogin {
    /// The path of the login page and of its form.
    static let path = "/login"

    private let authenticator: Authenticator
    private let assets: StaticAssets
    private let cors: CORSPolicy

    /// Creates the login.
    ///
    /// - Parameters:
    ///   - authenticator: checks the tokens and keeps the sessions.
    ///   - assets: the static files, among them the login page.
    ///   - cors: the other origins whose pages may log in and out.
    package init(authenticator: Authenticator, assets: StaticAssets, cors: CORSPolicy) {
        self.authenticator = authenticator
        self.assets = assets
        self.cors = cors
    }

    /// The routes of the forms.
    package var routes: [Route] {
        [
            .on(.POST, Self.path, scope: nil, body: .form) { try login($0) },
            .on(.POST, "/logout", scope: nil, body: .none) { try logout($0) },
        ]
    }

    /// A redirect to the login page. After the login the browser returns to the page; it keeps the fragment of the
    /// address by itself.
    package func challenge(at path: String) -> HTTPResponse {
        Self.redirect(to: path == "/" ? Self.path : "\(Self.path)?next=\(path.drop { $0 == "/" })", from: path)
    }

    /// A redirect to a path of this server.
    private static func redirect(to target: String, from path: String) -> HTTPResponse {
        .redirect(to: RelativeReference.to(target, from: path))
    }

    // MARK: Forms

    private func login(_ request: HTTPRequest) throws -> HTTPResponse {
        try refuseForeign(request)
        guard let pairs = PercentCoding.pairs(Substring(String(buffer: request.body))),
            let token = pairs.last(where: { $0.name == "token" })?.value
        else {
            throw HTTPError(.badRequest, code: "bad_request", message: "The form must have one field, 'token'")
        }
        guard !authenticator.isOpen else { return Self.redirect(to: "/", from: request.path) }
        switch authenticator.check(token, peer: request.peer) {
        case .valid(let entry): return redirect(to: "/", beginningSessionFor: entry, request)
        case .wrong:
            guard let page = assets.content(at: Self.path) else { return .unauthorized("The token is not valid") }
            return HTTPResponse(
                status: .unauthorized,
                headers: [
                    "Content-Type": page.contentType, "Cache-Control": "no-store", "WWW-Authenticate": "Bearer",
                ],
                body: .bytes(page.bytes))
        case .limited(let seconds): return .tooManyFailures(seconds: seconds)
        }
    }

    private func logout(_ request: HTTPRequest) throws -> HTTPResponse {
        try refuseForeign(request)
        var response = Self.redirect(to: Self.path, from: request.path)
        response.headers.add(
            name: "Set-Cookie",
            value: authenticator.endSession(request.headers, port: request.port, secure: request.secure))
        return response
    }

    /// Rejects forms from foreign pages, which must not log a browser in to another account or out.
    private func refuseForeign(_ request: HTTPRequest) throws {
        if let refusal = OriginCheck.refusal(ofForm: request, policy: cors) { throw HTTPError(refusal) }
    }

    // MARK: Links

    /// Logs in by link. Unless the address is over the failure limit, the response is a redirect that removes the token
    /// from the address bar.
    package func response(to request: HTTPRequest, rawQuery: String) -> HTTPResponse? {
        guard let token = Self.token(in: rawQuery) else { return nil }
        let location = request.path == Self.path ? "/" : request.path + Self.withoutToken(rawQuery)
        let path = request.path
        guard !authenticator.isOpen else { return Self.redirect(to: location, from: path) }
        guard OriginCheck.isOwnNavigation(request.headers) else {
            return Self.redirect(to: "\(Self.path)?foreign", from: path)
        }
        switch authenticator.check(token, peer: request.peer) {
        case .valid(let entry): return redirect(to: location, beginningSessionFor: entry, request)
        case .wrong: return Self.redirect(to: "\(Self.path)?failed", from: path)
        case .limited(let seconds): return .tooManyFailures(seconds: seconds)
        }
    }

    private func redirect(
        to location: String, beginningSessionFor entry: TokenTable.Entry, _ request: HTTPRequest
    ) -> HTTPResponse {
        var response = Self.redirect(to: location, from: request.path)
        response.headers.add(
            name: "Set-Cookie",
            value: authenticator.beginSession(for: entry, port: request.port, secure: request.secure))
        return response
    }

    /// The last `token` of the query. `+` is not decoded as a space: a token may contain `+`, and a user who pastes a
    /// token into an address does not escape it.
    private static func token(in rawQuery: String) -> String? {
        PercentCoding.pairs(Substring(rawQuery), plusIsSpace: false)?.last { $0.name == "token" }?.value
    }

    /// The query without its tokens, with its question mark; empty if no pair is left.
    private static func withoutToken(_ rawQuery: String) -> String {
        let kept = rawQuery.split(separator: "&").filter { field in
            PercentCoding.decoded(field.prefix { $0 != "=" }, plusIsSpace: true) != "token"
        }
        return kept.isEmpty ? "" : "?" + kept.joined(separator: "&")
    }
}
