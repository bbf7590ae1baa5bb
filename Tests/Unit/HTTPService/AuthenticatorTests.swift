import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct AuthenticatorTests {
    let clock = TestClock()

    func authenticator(
        _ table: TokenTable, limit: Int = 3, sessions: Int = 8, perToken: Int = 4
    ) -> Authenticator {
        let clock = self.clock
        return Authenticator(
            table: table, failureLimit: limit, sessionLimit: sessions, sessionLimitPerToken: perToken,
            digest: testDigest,
            clock: { clock.now })
    }

    let table = TokenTable.of(("a", "alpha", [.ingest]), ("b", "beta", [.read, .admin]))

    func bearer(_ token: String) -> HTTPHeaders { ["Authorization": "Bearer \(token)"] }

    func source(_ token: String) -> Identity.Source { .bearer(tokenDigest: testDigest(Array(token.utf8))) }

    /// The identity source of the session whose cookie is in `headers`.
    func source(of headers: HTTPHeaders) -> Identity.Source {
        .cookie(sessionKey: testDigest(Array(SessionCookie.ids(in: headers, port: 1).joined().utf8)))
    }

    func cookie(_ setCookie: String) -> HTTPHeaders {
        ["Cookie": "other=1; " + setCookie.prefix { $0 != ";" }]
    }

    @Test func `A token yields its name and scopes`() {
        let authenticator = self.authenticator(self.table)
        #expect(
            authenticator.identify(self.bearer("beta"), peer: "p", port: 1)
                == .known(Identity(name: "b", scopes: [.read, .admin], source: self.source("beta"))))
        #expect(
            authenticator.identify(["Authorization": "bearer alpha"], peer: "p", port: 1)
                == .known(Identity(name: "a", scopes: [.ingest], source: self.source("alpha"))))
        #expect(authenticator.identify([:], peer: "p", port: 1) == .absent)
        #expect(authenticator.identify(["Authorization": "Basic YTpi"], peer: "p", port: 1) == .absent)
        #expect(authenticator.identify(self.bearer("gamma"), peer: "p", port: 1) == .wrong)
        #expect(authenticator.identify(self.bearer(""), peer: "p", port: 1) == .absent)
    }

    @Test func `Open mode accepts every request, an empty table none`() {
        #expect(
            self.authenticator(.open).identify([:], peer: "p", port: 1)
                == .known(Identity(name: "open", scopes: .all, source: .open)))
        #expect(self.authenticator(TokenTable(entries: [])).identify(self.bearer("x"), peer: "p", port: 1) == .wrong)
    }

    @Test func `The failure limit affects wrong tokens of one address only`() {
        let authenticator = self.authenticator(self.table)
        for _ in 0..<3 { #expect(authenticator.check("wrong", peer: "10.0.0.1") == .wrong) }
        self.clock.advance(by: .seconds(20))
        #expect(authenticator.check("wrong", peer: "10.0.0.1") == .limited(seconds: 40))
        #expect(authenticator.check("alpha", peer: "10.0.0.1") == .valid(self.table.entries[0]))
        // A valid token does not reset the count, and failures beyond the limit do not extend the window.
        #expect(authenticator.check("wrong", peer: "10.0.0.1") == .limited(seconds: 40))
        #expect(authenticator.check("wrong", peer: "10.0.0.2") == .wrong)
        self.clock.advance(by: .seconds(40))
        #expect(authenticator.check("wrong", peer: "10.0.0.1") == .wrong)
    }

    @Test func `A token over the maximum length is wrong, even if its digest is listed`() {
        let token = String(repeating: "x", count: Authenticator.maximumTokenLength)
        let authenticator = self.authenticator(.of(("a", token, [.read]), ("b", token + "x", [.read])))
        #expect(authenticator.check(token, peer: "p") != .wrong)
        #expect(authenticator.check(token + "x", peer: "p") == .wrong)
    }

    @Test func `IPv6 addresses count by their 64-bit prefix, IPv4-mapped ones whole`() {
        let authenticator = self.authenticator(self.table)
        for index in 0..<3 { _ = authenticator.check("wrong", peer: "2001:db8::\(index)") }
        #expect(authenticator.check("wrong", peer: "2001:db8::ffff") == .limited(seconds: 60))
        #expect(authenticator.check("wrong", peer: "2001:db8:0:1::1") == .wrong)
        for _ in 0..<3 { _ = authenticator.check("wrong", peer: "::ffff:10.0.0.1") }
        #expect(authenticator.check("wrong", peer: "::ffff:10.0.0.2") == .wrong)
    }

    @Test func `Wrong tokens of many addresses take constant memory`() {
        let authenticator = self.authenticator(self.table)
        for index in 0..<100_000 {
            _ = authenticator.check("w\(index)", peer: "10.\(index / 65_536).\(index % 65_536)")
        }
        #expect(authenticator.limitedAddressCount <= 4_096)
        self.clock.advance(by: .minutes(1))
        _ = authenticator.check("w", peer: "192.0.2.1")
        #expect(authenticator.limitedAddressCount == 1)
    }

    @Test func `A session lasts twelve hours`() {
        let authenticator = self.authenticator(self.table)
        let setCookie = authenticator.beginSession(for: self.table.entries[1], port: 1, secure: true)
        #expect(setCookie.hasSuffix("; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=43200"))
        let headers = self.cookie(setCookie)
        let identity = Identity(name: "b", scopes: [.read, .admin], source: self.source(of: headers))
        #expect(authenticator.identify(headers, peer: "p", port: 1) == .known(identity))
        self.clock.advance(by: .hours(12) - .seconds(1))
        #expect(authenticator.identify(headers, peer: "p", port: 1) == .known(identity))
        self.clock.advance(by: .seconds(1))
        #expect(authenticator.identify(headers, peer: "p", port: 1) == .absent)
    }

    @Test func `A session has its token's current scopes, and ends with the token`() {
        let authenticator = self.authenticator(self.table)
        let headers = self.cookie(authenticator.beginSession(for: self.table.entries[1], port: 1, secure: false))
        var table = self.table
        table.entries[1].scopes = [.read]
        authenticator.replace(with: table)
        #expect(
            authenticator.identify(headers, peer: "p", port: 1)
                == .known(Identity(name: "b", scopes: [.read], source: self.source(of: headers))))
        authenticator.replace(with: .of(("b", "another value", [.read])))
        #expect(authenticator.identify(headers, peer: "p", port: 1) == .absent)
    }

    @Test func `Logout removes the session`() {
        let authenticator = self.authenticator(self.table)
        let headers = self.cookie(authenticator.beginSession(for: self.table.entries[1], port: 1, secure: false))
        #expect(authenticator.endSession(headers, port: 1, secure: false).contains("Max-Age=0"))
        #expect(authenticator.identify(headers, peer: "p", port: 1) == .absent)
        #expect(authenticator.sessionCount == 0)
    }

    private func logIn(_ authenticator: Authenticator, _ token: Int) -> HTTPHeaders {
        self.cookie(authenticator.beginSession(for: self.table.entries[token], port: 1, secure: false))
    }

    @Test func `Over the limit per token, the token's oldest session is evicted`() {
        let authenticator = self.authenticator(self.table)
        let other = self.logIn(authenticator, 1)
        let cookies = (0..<100).map { _ in self.logIn(authenticator, 0) }
        #expect(authenticator.sessionCount == 5)
        #expect(authenticator.identify(cookies[95], peer: "p", port: 1) == .absent)
        for cookie in cookies[96...] { #expect(authenticator.identify(cookie, peer: "p", port: 1) != .absent) }
        #expect(authenticator.identify(other, peer: "p", port: 1) != .absent)
    }

    @Test func `Over the limit of all sessions, the token with the most loses its oldest`() {
        let authenticator = self.authenticator(self.table, sessions: 6)
        let other = (0..<2).map { _ in self.logIn(authenticator, 1) }
        let many = (0..<4).map { _ in self.logIn(authenticator, 0) }
        let third = self.logIn(authenticator, 1)
        #expect(authenticator.sessionCount == 6)
        #expect(authenticator.identify(many[0], peer: "p", port: 1) == .absent)
        for cookie in other + [third] + many[1...] {
            #expect(authenticator.identify(cookie, peer: "p", port: 1) != .absent)
        }
        // Both tokens have three sessions: the one that logs in loses its oldest.
        let fourth = self.logIn(authenticator, 1)
        #expect(authenticator.identify(other[0], peer: "p", port: 1) == .absent)
        for cookie in [other[1], third, fourth] + many[1...] {
            #expect(authenticator.identify(cookie, peer: "p", port: 1) != .absent)
        }
    }

    @Test func `Expired sessions are removed before live ones`() {
        let authenticator = self.authenticator(self.table, sessions: 4)
        for _ in 0..<3 { _ = self.logIn(authenticator, 0) }
        self.clock.advance(by: .hours(11))
        let live = self.logIn(authenticator, 1)
        self.clock.advance(by: .hours(1))
        _ = self.logIn(authenticator, 1)
        #expect(authenticator.sessionCount == 2)
        #expect(authenticator.identify(live, peer: "p", port: 1) != .absent)
    }

    @Test func `An unknown session cookie does not count as a failure`() {
        let authenticator = self.authenticator(self.table, limit: 1)
        for _ in 0..<5 {
            let made = String(repeating: "a", count: 64)
            #expect(authenticator.identify(["Cookie": "nnmonitor_session_1=\(made)"], peer: "p", port: 1) == .absent)
        }
        #expect(authenticator.check("alpha", peer: "p") == .valid(self.table.entries[0]))
    }
}

@Suite struct TokenFileTests {
    static let digest = String(repeating: "0f", count: 32)

    @Test func `Lines are parsed`() throws {
        let other = String(repeating: "AB", count: 32)
        let entries = try TokenFile.parse(
            "# tokens\n\ntrainer:ingest:\(Self.digest)\r\n  admin.1 : read, admin : \(other)\n", file: "t",
            scopes: Scope.all)
        #expect(entries.map(\.name) == ["trainer", "admin.1"])
        #expect(entries[1].scopes == [.read, .admin])
        #expect(entries[0].digest == [UInt8](repeating: 0x0f, count: 32))
    }

    @Test(arguments: [
        ("a:read", "expected name:scopes:sha256, found 2 field(s) separated by ':'"),
        (":read:\(digest)", "the name must be 1 to 128 letters, digits, '.', '_' or '-'"),
        ("a b:read:\(digest)", "the name must be 1 to 128 letters, digits, '.', '_' or '-'"),
        ("a:write:\(digest)", "unknown scope 'write'; allowed: ingest, read, admin"),
        ("a::\(digest)", "a scope is empty; allowed: ingest, read, admin"),
        ("a:read:abc", "the third field must be the token's SHA-256 as 64 hex digits"),
        ("a:read:\(digest)g", "the third field must be the token's SHA-256 as 64 hex digits"),
    ])
    func `An error names the file, the line and the problem`(line: String, reason: String) {
        #expect(throws: TokenFileError(file: "tokens.txt", line: 2, reason: reason)) {
            try TokenFile.parse("# first\n\(line)\n", file: "tokens.txt", scopes: Scope.all)
        }
    }

    @Test func `Names and tokens are unique`() {
        #expect(throws: TokenFileError(file: "t", line: 2, reason: "the name 'a' is used twice")) {
            try TokenFile.parse(
                "a:read:\(Self.digest)\na:read:\(String(repeating: "1", count: 64))", file: "t", scopes: Scope.all)
        }
        #expect(throws: TokenFileError(file: "t", line: 2, reason: "'b' has the same token as an earlier line")) {
            try TokenFile.parse("a:read:\(Self.digest)\nb:read:\(Self.digest)", file: "t", scopes: Scope.all)
        }
    }
}
