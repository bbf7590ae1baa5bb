import Foundations
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPService

/// How grants end, and which observers are called.
@Suite struct AccessGrantTests {
    let clock = TestClock()
    let table = TokenTable.of(("a", "alpha", [.ingest, .read]), ("b", "beta", [.read]))

    private func authenticator(_ table: TokenTable) -> Authenticator {
        let clock = self.clock
        return Authenticator(table: table, sessionLimitPerToken: 2, digest: testDigest, clock: { clock.now })
    }

    private func grant(_ authenticator: Authenticator, _ headers: HTTPHeaders, _ scope: Scope = .read) throws
        -> AccessGrant
    {
        guard case .known(let identity) = authenticator.identify(headers, peer: "p", port: 1) else {
            throw HTTPServiceError.connectionClosed
        }
        return AccessGrant(authenticator: authenticator, source: identity.source, scope: scope)
    }

    private func logIn(_ authenticator: Authenticator, _ token: Int) -> HTTPHeaders {
        let setCookie = authenticator.beginSession(for: self.table.entries[token], port: 1, secure: false)
        return ["Cookie": String(setCookie.prefix { $0 != ";" })]
    }

    /// Counts the calls of observers.
    private final class Ends: Sendable {
        private let number = Locked(0)
        var count: Int { self.number.withLock { $0 } }
        func add() { self.number.withLock { $0 += 1 } }
    }

    private let alpha: HTTPHeaders = ["Authorization": "Bearer alpha"]

    @Test func `A reload ends the grants of tokens that are gone, changed or without the scope`() throws {
        for (table, remains) in [
            (TokenTable.of(("a", "alpha", [.read])), true), (.of(("renamed", "alpha", [.read])), true), (.open, true),
            (.of(("a", "alpha", [.ingest, .admin])), false), (.of(("a", "new", [.read])), false), (.of(), false),
        ] {
            let authenticator = self.authenticator(self.table)
            let ends = Ends()
            let grant = try self.grant(authenticator, self.alpha)
            _ = grant.observe { ends.add() }
            #expect(grant.isValid && grant.timeLeft == nil && grant.refusal == nil)
            authenticator.replace(with: table)
            #expect(grant.isValid == remains)
            #expect(ends.count == (remains ? 0 : 1))
            authenticator.replace(with: table)
            #expect(ends.count == (remains ? 0 : 1))
        }
    }

    @Test func `A grant without a token ends when tokens become required`() throws {
        let authenticator = self.authenticator(.open)
        let ends = Ends()
        let grant = try self.grant(authenticator, [:])
        _ = grant.observe { ends.add() }
        authenticator.replace(with: self.table)
        #expect(!grant.isValid && ends.count == 1)
    }

    @Test func `Logout and eviction end only the grants of their session`() throws {
        let authenticator = self.authenticator(self.table)
        let cookies = (0..<2).map { _ in self.logIn(authenticator, 0) } + [self.logIn(authenticator, 1)]
        let ends = cookies.map { _ in Ends() }
        for (cookie, ends) in zip(cookies, ends) {
            _ = try self.grant(authenticator, cookie).observe { ends.add() }
        }
        _ = self.logIn(authenticator, 0)
        #expect(ends.map(\.count) == [1, 0, 0])
        _ = authenticator.endSession(cookies[1], port: 1, secure: false)
        #expect(ends.map(\.count) == [1, 1, 0])
        #expect(authenticator.observedGrantCount == 1)
    }

    @Test func `The grant of a session expires with the session`() throws {
        let authenticator = self.authenticator(self.table)
        let grant = try self.grant(authenticator, self.logIn(authenticator, 0))
        self.clock.advance(by: .hours(11))
        #expect(grant.timeLeft == .hours(1) && grant.isValid)
        self.clock.advance(by: .hours(1))
        #expect(grant.timeLeft == .zero && !grant.isValid)
        #expect(grant.refusal?.status == .unauthorized)
    }

    @Test func `A grant that ended before it was observed is reported`() throws {
        let authenticator = self.authenticator(self.table)
        let grant = try self.grant(authenticator, self.alpha)
        authenticator.replace(with: .of(("a", "alpha", [.ingest])))
        let ends = Ends()
        _ = grant.observe { ends.add() }
        #expect(ends.count == 1)
        #expect(grant.refusal?.status == .forbidden)
    }

    @Test func `A reload ends only the grants of scopes that the token lost`() throws {
        let authenticator = self.authenticator(self.table)
        let (reading, posting) = (Ends(), Ends())
        _ = try self.grant(authenticator, self.alpha, .read).observe { reading.add() }
        _ = try self.grant(authenticator, self.alpha, .ingest).observe { posting.add() }
        authenticator.replace(with: .of(("a", "alpha", [.read])))
        #expect(reading.count == 0 && posting.count == 1)
        #expect(authenticator.observedGrantCount == 1)
        authenticator.replace(with: .of())
        #expect(reading.count == 1 && posting.count == 1)
        #expect(authenticator.observedGrantCount == 0)
    }

    @Test func `The grant of a session stays valid when tokens are no longer required`() throws {
        let authenticator = self.authenticator(self.table)
        let grant = try self.grant(authenticator, self.logIn(authenticator, 0))
        authenticator.replace(with: .open)
        #expect(grant.isValid && grant.timeLeft == nil)
    }

    @Test func `A cancelled observation is removed`() throws {
        let authenticator = self.authenticator(self.table)
        let ends = Ends()
        try self.grant(authenticator, self.alpha).observe { ends.add() }.cancel()
        #expect(authenticator.observedGrantCount == 0)
        authenticator.replace(with: .of())
        #expect(ends.count == 0)
    }

    @Test func `A session that ended with its token does not return with it`() throws {
        let authenticator = self.authenticator(self.table)
        let grant = try self.grant(authenticator, self.logIn(authenticator, 0))
        authenticator.replace(with: .of(("b", "beta", [.read])))
        authenticator.replace(with: self.table)
        #expect(!grant.isValid)
        #expect(authenticator.sessionCount == 0)
    }
}
