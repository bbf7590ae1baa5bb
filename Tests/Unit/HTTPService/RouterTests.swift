import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct RouterTests {
    func route(_ method: HTTPMethod, _ pattern: String) -> Route {
        .on(method, pattern, scope: nil) { _ in HTTPResponse(status: .ok) }
    }

    func match(_ router: Router, _ path: String) throws -> Router.Match? {
        router.match(try #require(RequestTarget(path)).segments)
    }

    @Test func `A captured segment is decoded after the path is split`() throws {
        let router = try Router([self.route(.GET, "/runs/{id}"), self.route(.GET, "/runs/{id}/latest")])
        #expect(try self.match(router, "/runs/a%2Fb%20c")?.parameters == ["a/b c"])
        #expect(try self.match(router, "/runs/%C3%A9/latest")?.parameters == ["é"])
        #expect(try self.match(router, "/runs/..")?.parameters == [".."])
        #expect(try self.match(router, "/runs/a/b") == nil)
        #expect(try self.match(router, "/runs/") == nil)
        #expect(try self.match(router, "/runs") == nil)
    }

    @Test func `Literals precede captures, which are tried if the literal leads to no route`() throws {
        let router = try Router([
            self.route(.GET, "/runs/{id}/latest"), self.route(.GET, "/runs/all"), self.route(.GET, "/{any}/x"),
        ])
        #expect(try self.match(router, "/runs/all")?.parameters == [])
        #expect(try self.match(router, "/runs/all/latest")?.parameters == ["all"])
        #expect(try self.match(router, "/runs/x")?.parameters == ["runs"])
    }

    @Test func `The methods are those of the pattern, and HEAD with GET`() throws {
        let router = try Router([self.route(.GET, "/a"), self.route(.DELETE, "/a"), self.route(.POST, "/b")])
        let match = try #require(try self.match(router, "/a"))
        #expect(match.methods == ["GET", "HEAD", "DELETE", "OPTIONS"])
        #expect(match.route(for: .HEAD)?.method == .GET)
        #expect(match.route(for: .POST) == nil)
        #expect(try self.match(router, "/b")?.route(for: .HEAD) == nil)
    }

    @Test func `Invalid and duplicate patterns are refused`() {
        #expect(throws: HTTPServiceError.invalidPattern("a", reason: "it must begin with '/'")) {
            try Router([self.route(.GET, "a")])
        }
        #expect(throws: HTTPServiceError.invalidPattern("/a//b", reason: "it has an empty segment")) {
            try Router([self.route(.GET, "/a//b")])
        }
        #expect(throws: HTTPServiceError.duplicateRoute("GET /a/{y}")) {
            try Router([self.route(.GET, "/a/{x}"), self.route(.GET, "/a/{y}")])
        }
    }

    @Test(arguments: ["/a%", "/a%2", "/a%zz", "/a%FF", "/?x=%", "a", "", "ftp://h/x"])
    func `A malformed target is refused`(uri: String) {
        #expect(RequestTarget(uri) == nil)
    }

    @Test func `A target is split into its parts`() throws {
        let target = try #require(RequestTarget("http://host:1/a/b%2Fc?x=1&y=a+b%21&z"))
        #expect(target.origin?.isSecure == false)
        #expect(target.origin?.authority == "host:1")
        #expect(target.path == "/a/b%2Fc")
        #expect(target.segments == ["a", "b/c"])
        #expect(target.query.map { "\($0.name)=\($0.value)" } == ["x=1", "y=a b!", "z="])
        #expect(try #require(RequestTarget("HTTPS://host?x")).path == "/")
        #expect(try #require(RequestTarget("/")).origin == nil)
        #expect(try #require(RequestTarget("/")).segments == [])
    }
}
