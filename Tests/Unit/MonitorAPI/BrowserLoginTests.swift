import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService
@testable import MonitorAPI

/// Logins with a form or a link, and the access of the dashboard's pages.
@Suite struct BrowserLoginTests {
    private let assets = StaticAssets(
        files: ["index.html": "page", "docs.html": "docs", "login.html": "log in", "openapi.json": "{}"],
        paths: AssetPath.dashboard)

    private func authenticator(_ table: TokenTable? = nil, failureLimit: Int = 20) -> Authenticator {
        let entries = ["rrr", "r r", "r+r"].map {
            TokenTable.Entry(name: "reader \($0)", scopes: [.read], digest: Array($0.utf8))
        }
        return Authenticator(table: table ?? TokenTable(entries: entries), failureLimit: failureLimit, digest: { $0 })
    }

    private func login(_ authenticator: Authenticator) -> BrowserLogin {
        BrowserLogin(authenticator: authenticator, assets: assets, cors: CORSPolicy([]))
    }

    /// The response to a link; the target is the path and the query.
    private func follow(
        _ target: String, _ headers: HTTPHeaders = [:], secure: Bool = false, with authenticator: Authenticator
    ) -> HTTPResponse? {
        let parts = target.split(separator: "?", maxSplits: 1)
        let request = HTTPRequest(method: .GET, path: String(parts[0]), headers: headers, port: 8000, secure: secure)
        return login(authenticator).response(to: request, rawQuery: String(parts[1]))
    }

    /// The response to a form, or to the error that its handler throws.
    private func post(
        _ path: String, _ form: String, _ headers: HTTPHeaders = [:], with authenticator: Authenticator
    ) async throws -> HTTPResponse {
        let route = try #require(login(authenticator).routes.first { $0.method == .POST && $0.pattern == path })
        guard case .handle(_, let handler) = route.action else { throw HTTPServiceError.connectionClosed }
        let request = HTTPRequest(
            method: .POST, path: path, headers: headers, body: ByteBuffer(string: form), port: 8000)
        do { return try await handler(request) } catch let error as HTTPError { return error.response }
    }

    @Test func `Pages and the document require the scope read, the login page requires none`() throws {
        for (path, scope, isPage) in [
            ("/", Scope.read, true), ("/docs", .read, true), ("/login", nil, true), ("/openapi.json", .read, false),
            ("/static/index.html", .read, true),
        ] {
            let asset = try #require(assets.asset(at: path))
            #expect(asset.scope == scope && asset.isPage == isPage, "\(path)")
        }
        for (path, location) in [("/", "./login"), ("/docs", "./login?next=docs")] {
            #expect(login(authenticator()).challenge(at: path).headers["location"] == [location])
        }
    }

    @Test func `A link with a token begins a session and redirects to the address without the token`() throws {
        let authenticator = authenticator()
        for (target, location) in [
            ("/?token=rrr&run=1", "./?run=1"), ("/?token=no&a=1&tok%65n=rrr", "./?a=1"),
            ("/docs?token=rrr", "./docs"), ("/login?token=rrr&x=1", "./"),
        ] {
            let response = try #require(follow(target, secure: true, with: authenticator))
            #expect(response.status == .seeOther)
            #expect(response.headers["location"] == [location])
            let cookie = try #require(response.headers.first(name: "set-cookie"))
            #expect(cookie.hasPrefix("nnmonitor_session_8000=") && cookie.contains("HttpOnly; SameSite=Strict; Secure"))
            let headers: HTTPHeaders = ["Cookie": String(cookie.prefix { $0 != ";" })]
            guard case .known = authenticator.identify(headers, peer: "p", port: 8000) else {
                Issue.record("the cookie of \(target) is no session")
                continue
            }
        }
    }

    @Test func `A wrong token in a link leads to the login page, without a session`() throws {
        let authenticator = authenticator(failureLimit: 2)
        for _ in 0..<2 {
            let response = try #require(follow("/?token=no", with: authenticator))
            #expect(response.headers["location"] == ["./login?failed"] && response.headers["set-cookie"].isEmpty)
        }
        #expect(follow("/?token=no", with: authenticator)?.status == .tooManyRequests)
        #expect(
            follow("/?token=rrr", with: authenticator)?.status == .seeOther, "the limit never rejects a valid token")
    }

    @Test func `A query without a token is served as a page`() {
        for target in ["/?run=1", "/?tokens=rrr"] {
            #expect(follow(target, with: authenticator()) == nil, "\(target)")
        }
    }

    @Test(arguments: ["/?token=r+r", "/?token=r%2Br", "/?run=1&tok%65n=r+r"])
    func `A plus in the token of a link is not a space`(target: String) {
        let entry = TokenTable.Entry(name: "plus", scopes: [.read], digest: Array("r+r".utf8))
        let response = follow(target, with: authenticator(TokenTable(entries: [entry])))
        #expect(response?.headers.contains(name: "set-cookie") == true)
    }

    @Test(arguments: [
        ([], true), (["none"], true), (["same-origin"], true), (["cross-site"], false), (["same-site"], false),
        (["none", "cross-site"], false), ([""], false),
    ])
    func `A link logs in only if the user or a page of the server followed it`(sites: [String], logsIn: Bool) throws {
        let authenticator = authenticator(failureLimit: 1)
        let headers = HTTPHeaders(sites.map { ("Sec-Fetch-Site", $0) })
        let response = try #require(follow("/?token=rrr", headers, with: authenticator))
        #expect(response.status == .seeOther)
        #expect(response.headers["location"] == [logsIn ? "./" : "./login?foreign"])
        #expect(response.headers.contains(name: "set-cookie") == logsIn)
        guard !logsIn else { return }
        for _ in 0..<3 { #expect(follow("/?token=no", headers, with: authenticator)?.status == .seeOther) }
        #expect(authenticator.limitedAddressCount == 0)
    }

    @Test func `The form begins a session, or shows the page again`() async throws {
        let authenticator = authenticator()
        let good = try await post("/login", "token=r+r", ["Host": "h", "Origin": "http://h"], with: authenticator)
        #expect(good.status == .seeOther && good.headers["location"] == ["./"])
        let cookie = try #require(good.headers.first(name: "set-cookie"))
        let wrong = try await post("/login", "token=no", with: authenticator)
        #expect(wrong.status == .unauthorized && wrong.headers["www-authenticate"] == ["Bearer"])
        guard case .bytes(let page) = wrong.body else { throw HTTPServiceError.connectionClosed }
        #expect(String(buffer: page) == "log in")
        #expect(try await post("/login", "x=1", with: authenticator).status == .badRequest)
        let foreign: HTTPHeaders = ["Host": "h", "Origin": "http://evil"]
        #expect(try await post("/login", "token=rrr", foreign, with: authenticator).status == .forbidden)
        #expect(try await post("/logout", "", foreign, with: authenticator).status == .forbidden)
        #expect(authenticator.sessionCount == 1)
        let logout = try await post("/logout", "", ["Cookie": String(cookie.prefix { $0 != ";" })], with: authenticator)
        #expect(logout.headers["location"] == ["./login"])
        #expect(logout.headers.first(name: "set-cookie")?.contains("Max-Age=0") == true)
        #expect(authenticator.sessionCount == 0)
    }

    @Test func `A server that requires no token redirects every login to the page`() async throws {
        let open = authenticator(.open)
        #expect(follow("/?token=x&run=1", with: open)?.headers["location"] == ["./?run=1"])
        let form = try await post("/login", "token=x", with: open)
        #expect(form.headers["location"] == ["./"] && !form.headers.contains(name: "set-cookie"))
    }
}
