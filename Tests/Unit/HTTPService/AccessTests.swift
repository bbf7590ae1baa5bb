import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

/// Tokens, sessions, the origin check and CORS, tested with requests.
@Suite struct AccessTests {
    let table = TokenTable.of(("reader", "rrr", [.read]), ("trainer", "ttt", [.ingest]), ("boss", "bbb", [.admin]))

    func get(
        _ path: String, _ headers: String = "", method: String = "GET", secure: Bool = false, _ fixture: Fixture
    ) throws -> String {
        try EmbeddedConnection(fixture, secure: secure)
            .exchange("\(method) \(path) HTTP/1.1\r\nHost: h:1\r\n\(headers)\r\n")
    }

    func get(_ path: String, _ fixture: Fixture) throws -> String {
        try self.get(path, "", method: "GET", fixture)
    }

    func cookie(_ fixture: Fixture, token: Int) -> String {
        let value = fixture.authenticator.beginSession(
            for: self.table.entries[token], port: EmbeddedConnection.port, secure: false)
        return "Cookie: \(value.prefix { $0 != ";" })\r\n"
    }

    @Test func `A route gets 401 without a token and 403 without the scope`() throws {
        let fixture = try Fixture(table: self.table)
        let absent = try self.get("/runs/1", fixture)
        #expect(absent.status == 401)
        #expect(absent.header("WWW-Authenticate") == "Bearer")
        #expect(absent.body.hasPrefix("{\"detail\":{\"error\":\"unauthorized\",\"message\":"))
        #expect(try self.get("/runs/1", "Authorization: Bearer no\r\n", fixture).status == 401)
        let wrong = try self.get("/runs/1", "Authorization: Bearer ttt\r\n", fixture)
        #expect(wrong.status == 403)
        #expect(wrong.body.hasPrefix("{\"detail\":{\"error\":\"forbidden\""))
        #expect(try self.get("/nothing", fixture).status == 404)
        #expect(try self.get("/runs/1", method: "PUT", fixture).status == 405)
    }

    @Test func `Too many wrong tokens get 429, a valid one does not`() throws {
        let fixture = try Fixture(table: self.table, failureLimit: 2)
        for _ in 0..<2 { #expect(try self.get("/runs/1", "Authorization: Bearer no\r\n", fixture).status == 401) }
        let slowed = try self.get("/runs/1", "Authorization: Bearer no\r\n", fixture)
        #expect(slowed.status == 429)
        #expect(slowed.header("Retry-After") == "60")
        #expect(try self.get("/", "Authorization: Bearer rrr\r\n", fixture).status == 200)
        // A request without a token is not a failure.
        #expect(try self.get("/runs/1", fixture).status == 401)
    }

    @Test func `The cookie's name has the port, and each of several cookies is tried`() throws {
        let fixture = try Fixture(table: self.table)
        let own = self.cookie(fixture, token: 0)
        #expect(own.hasPrefix("Cookie: nnmonitor_session_\(EmbeddedConnection.port)="))
        let name = "nnmonitor_session_\(EmbeddedConnection.port)"
        let foreign = "\(name)=\(String(repeating: "0", count: 64))"
        let value = own.prefix { !$0.isNewline }.dropFirst("Cookie: ".count)
        for cookies in [
            "Cookie: \(foreign); \(value)", "Cookie: \(value); \(foreign)", "Cookie: x=1\r\nCookie: \(value)",
        ] {
            #expect(try self.get("/", cookies + "\r\n", fixture).status == 200, "\(cookies)")
        }
        let otherPort = value.replacing("_\(EmbeddedConnection.port)=", with: "_9=")
        #expect(try self.get("/", "Cookie: \(otherPort)\r\n", fixture).status == 303)
    }

    @Test func `A page without a session gets the challenge, other files need no token`() throws {
        let fixture = try Fixture(table: self.table)
        let page = try self.get("/", fixture)
        #expect(page.status == 303)
        #expect(page.header("Location") == "/login")
        #expect(try self.get("/login", fixture).status == 200)
        #expect(try self.get("/static/css/base.css", fixture).status == 200)
        #expect(try self.get("/", self.cookie(fixture, token: 0), fixture).status == 200)
    }

    @Test(arguments: [
        ("Origin: http://h:1\r\n", true), ("Origin: HTTP://H:1\r\n", true), ("Origin: https://h:1\r\n", false),
        ("Origin: http://h:2\r\n", false), ("Origin: http://evil\r\n", false), ("", false),
        ("Sec-Fetch-Site: same-origin\r\n", true), ("Sec-Fetch-Site: same-site\r\n", false),
        ("Origin: null\r\nSec-Fetch-Site: same-origin\r\n", true), ("Origin: null\r\n", false),
        ("Origin: http://evil\r\nSec-Fetch-Site: same-origin\r\n", false),
    ])
    func `With a cookie, a POST must come from the server's own origin`(headers: String, passes: Bool) throws {
        let fixture = try Fixture(table: self.table) { $0.cors = CORSPolicy(["http://evil"]) }
        // The body is announced but not sent, so the gate decides and the handler does not run.
        let cookie = self.cookie(fixture, token: 1)
        let answer = try self.get(
            "/echo", headers + cookie + "Expect: 100-continue\r\nContent-Length: 2\r\n", method: "POST", fixture)
        #expect(answer.status == (passes ? 100 : 403))
    }

    @Test func `With a bearer token, the origin does not matter`() throws {
        let fixture = try Fixture(table: self.table)
        let answer = try self.get(
            "/echo",
            "Origin: http://evil\r\nAuthorization: Bearer ttt\r\nExpect: 100-continue\r\nContent-Length: 2\r\n",
            method: "POST", fixture)
        #expect(answer.status == 100)
    }

    @Test func `In open mode a foreign origin may act only if the policy allows it`() throws {
        func status(_ origin: String, _ policy: [String]) throws -> Int? {
            try self.get(
                "/echo", "Origin: \(origin)\r\nExpect: 100-continue\r\nContent-Length: 2\r\n", method: "POST",
                Fixture { $0.cors = CORSPolicy(policy) }
            ).status
        }
        #expect(try status("http://evil", ["*"]) == 100)
        #expect(try status("http://evil", []) == 403)
        #expect(try status("http://h:1", []) == 100)
        #expect(try status("http://evil", ["http://good"]) == 403)
        #expect(try status("http://good", ["http://good"]) == 100)
        #expect(try status("http://h:1", ["http://good"]) == 100)
    }

    @Test func `A host name that is not listed is refused`() throws {
        let fixture = try Fixture { $0.allowedHosts = ["monitor.local"] }
        for (host, status) in [
            ("127.0.0.1:8000", 404), ("localhost:8000", 404), ("[::1]:8000", 404), ("Monitor.Local", 404),
            ("evil.example:8000", 421), ("127.0.0.1.evil.example", 421),
        ] {
            let answer = try EmbeddedConnection(fixture).exchange("GET /none HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(answer.status == status, "\(host)")
            guard status == 421 else { continue }
            #expect(answer.contains("localhost") && answer.contains("monitor.local"))
            #expect(answer.contains("NN_MONITOR_AUTH_TOKEN"))
        }
    }

    @Test func `The response to a foreign origin names both origins`() throws {
        let answer = try self.get(
            "/echo", "Origin: https://h:1\r\nContent-Length: 0\r\n", method: "POST", Fixture())
        #expect(answer.status == 403)
        #expect(answer.body.contains("https://h:1,") && answer.body.contains(" http://h:1."))
        #expect(answer.body.contains("NN_MONITOR_CORS_ORIGINS"))
        let session = try Fixture(table: self.table)
        let refused = try self.get(
            "/echo", "Origin: https://h:1\r\nContent-Length: 0\r\n" + self.cookie(session, token: 1), method: "POST",
            session)
        #expect(refused.body.contains("proxy") && !refused.body.contains("NN_MONITOR_CORS_ORIGINS"))
    }

    @Test func `Without a list of host names every name is accepted`() throws {
        for table in [self.table, .open] {
            let fixture = try Fixture(table: table)
            #expect(fixture.server.configuration.allowedHosts == nil)
            for host in ["127.0.0.1:8000", "[::1]:8000", "monitor.local", "evil.example:8000", "10.0.0.1.evil"] {
                let answer = try EmbeddedConnection(fixture).exchange(
                    "GET / HTTP/1.1\r\nHost: \(host)\r\nAuthorization: Bearer rrr\r\n\r\n")
                #expect(answer.status == 200, "\(host)")
            }
        }
    }

    // MARK: CORS

    let preflight = "Origin: http://good\r\nAccess-Control-Request-Method: POST\r\n"

    @Test func `A preflight needs no token`() throws {
        let fixture = try Fixture(table: self.table) { $0.cors = .any }
        let answer = try self.get(
            "/echo",
            self.preflight
                + "Access-Control-Request-Headers: x-requested-with, x-evil, traceparent, tracestate, baggage, "
                + "sentry-trace\r\n",
            method: "OPTIONS", fixture)
        #expect(answer.status == 204)
        #expect(answer.header("Access-Control-Allow-Origin") == "*")
        #expect(answer.header("Access-Control-Allow-Methods") == "POST, OPTIONS")
        #expect(
            answer.header("Access-Control-Allow-Headers")
                == "Authorization, Content-Type, Content-Encoding, x-requested-with, traceparent, tracestate, baggage, "
                + "sentry-trace")
        #expect(answer.header("Access-Control-Max-Age") != nil)
        #expect(!answer.lowercased().contains("access-control-allow-credentials"))
    }

    @Test func `A listed origin is echoed, another is not allowed`() throws {
        let fixture = try Fixture(table: self.table) { $0.cors = CORSPolicy(["http://good"]) }
        let good = try self.get("/echo", self.preflight, method: "OPTIONS", fixture)
        #expect(good.header("Access-Control-Allow-Origin") == "http://good")
        #expect(good.contains("Vary: Origin\r\n"))
        let evil = try self.get(
            "/echo", "Origin: http://evil\r\nAccess-Control-Request-Method: POST\r\n", method: "OPTIONS", fixture)
        #expect(evil.status == 204)
        // What the route takes is no secret; without this header a browser does not send the request.
        #expect(!evil.contains("Access-Control-Allow-Origin"))
        #expect(evil.header("Access-Control-Allow-Methods") == "POST, OPTIONS")
        #expect(evil.contains("Vary: Origin\r\n"))
        // Error responses have CORS headers too, so that a page can display the error.
        #expect(
            try self.get("/runs/1", "Origin: http://good\r\n", fixture).header("Access-Control-Allow-Origin")
                == "http://good")
        #expect(
            try self.get("/runs/1", "Origin: http://evil\r\n", fixture).header("Access-Control-Allow-Origin") == nil)
    }
}
