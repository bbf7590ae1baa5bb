// This file is long because it has one test for each decision of the gate, over the same fixture.

import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPService

/// The responses sent before a body is read, and the deadlines, tested on an `EmbeddedChannel`.
@Suite struct HeadGateTests {
    func answer(_ request: String, _ fixture: Fixture? = nil, secure: Bool = false) throws -> String {
        try EmbeddedConnection(fixture ?? Fixture(), secure: secure).exchange(request)
    }

    func get(_ path: String, _ headers: String = "", _ fixture: Fixture? = nil) throws -> String {
        try self.answer("GET \(path) HTTP/1.1\r\nHost: h\r\n\(headers)\r\n", fixture)
    }

    // MARK: Routing

    @Test func whatIsNotRoutedIs404() throws {
        let answer = try self.get("/nothing")
        #expect(answer.status == 404)
        #expect(answer.body == "{\"detail\":\"Not Found\"}")
        #expect(answer.header("Content-Type") == "application/json")
        #expect(answer.header("Content-Length") == "22")
    }

    @Test func aWrongMethodIs405WithTheRightOnes() throws {
        let answer = try self.answer("PUT /runs/1 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(answer.status == 405)
        #expect(answer.header("Allow") == "GET, HEAD, DELETE, OPTIONS")
        #expect(answer.body == "{\"detail\":\"Method Not Allowed\"}")
        #expect(try self.answer("POST / HTTP/1.1\r\nHost: h\r\n\r\n").header("Allow") == "GET, HEAD, OPTIONS")
        #expect(try self.get("/echo").header("Allow") == "POST, OPTIONS")
        #expect(
            try self.answer("DELETE /login HTTP/1.1\r\nHost: h\r\n\r\n").header("Allow") == "GET, HEAD, POST, OPTIONS")
    }

    @Test func aTrailingSlashIsRedirectedToTheSamePathHere() throws {
        let answer = try self.get("/runs/a%2Fb/?x=1")
        #expect(answer.status == 307)
        #expect(answer.header("Location") == "../../runs/a%2Fb?x=1")
        #expect(try self.get("/docs/").status == 404)
        #expect(try self.get("/static/css/base.css/").header("Location") == "../../../static/css/base.css")
        for path in ["//example.org/", "//health/", "///", "/health//"] {
            let answer = try self.get(path)
            #expect(answer.status == 404, "\(path)")
            #expect(answer.header("Location") == nil)
        }
    }

    @Test func aTargetThatIsNotWellEncodedIs400() throws {
        for path in ["/runs/%", "/runs/%zz", "/runs/%FF"] {
            #expect(try self.get(path).status == 400, "\(path)")
        }
    }

    @Test func optionsTellsTheMethods() throws {
        let answer = try self.answer("OPTIONS /runs/1 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(answer.status == 204)
        #expect(answer.header("Allow") == "GET, HEAD, DELETE, OPTIONS")
        #expect(answer.header("Content-Length") == nil)
        #expect(try self.answer("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status == 204)
    }

    // MARK: Malformed requests

    @Test(arguments: [
        ("GET /health HTTP/1.1\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET http://h/health HTTP/1.1\r\nHost: g\r\n\r\n", 400),
        ("GET http://a@h/health HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET http:///health HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET https://h/health HTTP/1.1\r\nHost: h\r\n\r\n", 421),
        ("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 501),
        ("GET /health HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAuthorization: a\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ,chunked\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nContent_Length: 1\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nTRANSFER_encoding: chunked\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 400),
        ("GET /health HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        ("GET /health HTTP/0.9\r\nHost: h\r\n\r\n", 505),
        ("BREW /health HTTP/1.1\r\nHost: h\r\n\r\n", 501),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", 400),
        ("GET /health HTTP/1.1\r\nHost: h\r\nbad header: x\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost: h\r\nX: a\u{0}b\r\n\r\n", 400),
        ("GET /health HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ])
    func whatIsNotHTTPIsAnsweredInJSONAndClosed(request: String, status: Int) throws {
        let connection = try EmbeddedConnection(Fixture())
        let answer = try connection.exchange(request)
        #expect(answer.status == status)
        #expect(answer.header("Connection") == "close")
        #expect(answer.body.hasPrefix("{\"detail\":{\"error\":\""))
        #expect(!connection.isOpen)
    }

    @Test func anExpectationThatIsNotKnownIs417() throws {
        #expect(try self.get("/health", "Expect: 200-ok\r\n").status == 417)
    }

    @Test func headsOverTheLimitsAre431And414() throws {
        let fixture = try Fixture {
            $0.maximumHeaderBytes = 1_000
            $0.maximumHeaderCount = 10
            $0.maximumTargetSize = 500
        }
        let long = String(repeating: "a", count: 1_100)
        #expect(try self.get("/health", "X: \(long)\r\n", fixture).status == 431)
        #expect(try self.get("/health", String(repeating: "X: a\r\n", count: 11), fixture).status == 431)
        #expect(try self.get("/" + long, "", fixture).status == 414)
        #expect(try self.get("/" + long.prefix(600), "", fixture).status == 414)
        let connection = try EmbeddedConnection(fixture)
        #expect(try connection.exchange("GET /" + long).status == 414)
    }

    // MARK: Bodies

    @Test func bodiesThatAreTooLongAreRefusedByTheirHead() throws {
        let fixture = try Fixture { $0.maximumRequestSize = 100_000 }
        let connection = try EmbeddedConnection(fixture)
        let answer = try connection.exchange("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n")
        #expect(answer.status == 413)
        #expect(
            answer.body
                == "{\"detail\":{\"error\":\"payload_too_large\",\"message\":\"The body is larger than 100000 bytes\"}}"
        )
        #expect(answer.header("Connection") == "close")
        let huge = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551614\r\n\r\n"
        #expect(try self.answer(huge, fixture).status == 413)
    }

    @Test func aChunkedBodyThatIsTooLongIsRefusedWhenItIs() throws {
        let connection = try EmbeddedConnection(Fixture { $0.maximumRequestSize = 100 })
        try connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(try connection.exchange("64\r\n" + String(repeating: "a", count: 100) + "\r\n") == "")
        let answer = try connection.exchange("1\r\na\r\n")
        #expect(answer.status == 413)
    }

    @Test(arguments: [
        ("Content-Type: text/plain\r\n", 415), ("Content-Encoding: br\r\n", 415),
        ("Content-Encoding: gzip, gzip\r\n", 415),
    ])
    func bodiesOfAnotherTypeOrCodingAreRefusedByTheirHead(header: String, status: Int) throws {
        let answer = try self.answer("POST /echo HTTP/1.1\r\nHost: h\r\n\(header)Content-Length: 2\r\n\r\n")
        #expect(answer.status == status)
        if header.hasPrefix("Content-Encoding") { #expect(answer.header("Accept-Encoding") == "gzip, deflate") }
    }

    @Test func corruptAndTruncatedBodiesAre400() throws {
        let fixture = try Fixture()
        let corrupt =
            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot gzip atAl"
        let answer = try self.answer(corrupt, fixture)
        #expect(answer.status == 400)
        #expect(answer.body.hasPrefix("{\"detail\":{\"error\":\"invalid_encoding\""))
        let truncated = EmbeddedChannel()
        try fixture.server.install(on: truncated, secure: false)
        try truncated.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 4000)).wait()
        var request = ByteBuffer(
            string: "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n")
        request.writeBytes([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
        try truncated.writeInbound(request)
        var text = ""
        while case .byteBuffer(let buffer)? = try truncated.readOutbound(as: IOData.self) {
            text += String(buffer: buffer)
        }
        #expect(text.status == 400)
        #expect(text.contains("invalid_encoding"))
        #expect(truncated.isActive)
        _ = try truncated.finish()
    }

    @Test func theBodyOfAnEarlyAnswerIsThrownAwayAndTheNextRequestAnswered() throws {
        let connection = try EmbeddedConnection(Fixture())
        let answer = try connection.exchange("POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab")
        #expect(answer.status == 404)
        #expect(answer.header("Connection") == nil)
        #expect(try connection.exchange("cdeGET /none HTTP/1.1\r\nHost: h\r\n\r\n").status == 404)
        #expect(connection.isOpen)
    }

    @Test func oneHundredContinueIsSentOnlyWhenTheGateLetsTheBodyIn() throws {
        let connection = try EmbeddedConnection(Fixture { $0.maximumRequestSize = 100 })
        let taken = try connection.exchange(
            "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
        #expect(taken == "HTTP/1.1 100 Continue\r\n\r\n")
        let refused = try self.answer(
            "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n",
            Fixture { $0.maximumRequestSize = 100 })
        #expect(refused.status == 413)
        #expect(refused.header("Connection") == "close")
    }

    // MARK: Deadlines, on the event loop's clock

    @Test func aDripFedBodyIs408AtItsDeadlineHoweverItDrips() throws {
        let connection = try EmbeddedConnection(Fixture { $0.bodyTimeout = .seconds(60) })
        try connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
        for _ in 0..<59 {
            connection.advance(.seconds(1))
            #expect(try connection.exchange("a") == "")
        }
        connection.advance(.seconds(1))
        let answer = try connection.received()
        #expect(answer.status == 408)
        #expect(answer.header("Connection") == "close")
        #expect(answer.body.hasPrefix("{\"detail\":{\"error\":\"request_timeout\""))
        #expect(!connection.isOpen)
    }

    @Test func aDripFedHeadIs408AtItsDeadline() throws {
        let connection = try EmbeddedConnection(Fixture { $0.headTimeout = .seconds(10) })
        for byte in "GET /heal" {
            connection.advance(.seconds(1))
            #expect(try connection.exchange(String(byte)) == "")
        }
        connection.advance(.seconds(1))
        #expect(try connection.received().status == 408)
        #expect(!connection.isOpen)
    }

    @Test func aConnectionThatSaysNothingIsClosedSilently() throws {
        let connection = try EmbeddedConnection(Fixture())
        connection.advance(.seconds(10))
        #expect(try connection.received() == "")
        #expect(!connection.isOpen)
    }

    @Test func anIdleConnectionIsClosedSilentlyAndALaterHeadHasItsOwnDeadline() throws {
        let idle = try EmbeddedConnection(Fixture())
        _ = try idle.exchange("GET /none HTTP/1.1\r\nHost: h\r\n\r\n")
        idle.advance(.seconds(74))
        #expect(idle.isOpen)
        idle.advance(.seconds(1))
        #expect(!idle.isOpen)
        #expect(try idle.received() == "")

        let slow = try EmbeddedConnection(Fixture())
        _ = try slow.exchange("GET /none HTTP/1.1\r\nHost: h\r\n\r\n")
        slow.advance(.seconds(74))
        try slow.send("GET")
        slow.advance(.seconds(9))
        #expect(slow.isOpen)
        slow.advance(.seconds(1))
        #expect(try slow.received().status == 408)
    }

    @Test func quiescingClosesAnIdleConnection() throws {
        let connection = try EmbeddedConnection(Fixture())
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        connection.channel.embeddedEventLoop.run()
        #expect(!connection.isOpen)
    }

    @Test func aClosedConnectionLeavesNothingBehind() throws {
        weak var left: HTTPConnection?
        do {
            let connection = try EmbeddedConnection(Fixture())
            left = try connection.channel.pipeline.syncOperations.handler(type: HTTPConnection.self)
            #expect(left != nil)
            _ = try connection.exchange("GET /none HTTP/1.1\r\nHost: h\r\n\r\n")
        }
        #expect(left == nil)
    }

    // MARK: Every response

    @Test func everyAnswerHasTheSecurityHeaders() throws {
        for answer in [try self.get("/nothing"), try self.get("/"), try self.answer("garbage\r\n\r\n")] {
            #expect(answer.header("X-Content-Type-Options") == "nosniff")
            #expect(answer.header("Referrer-Policy") == "no-referrer")
            #expect(answer.header("Date") != nil)
            #expect(answer.header("Strict-Transport-Security") == nil)
        }
        let secure = try self.answer("GET / HTTP/1.1\r\nHost: h:8443\r\n\r\n", secure: true)
        #expect(secure.header("Strict-Transport-Security") == nil)
        for (isSecure, value) in [(true, "max-age=60"), (false, nil)] {
            let fixture = try Fixture { $0.hstsMaxAge = 60 }
            let answer = try EmbeddedConnection(fixture, secure: isSecure)
                .exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(answer.header("Strict-Transport-Security") == value)
        }
        let policy = try #require(secure.header("Content-Security-Policy"))
        #expect(policy.hasPrefix("default-src 'self'; script-src 'self';"))
        #expect(policy.contains("connect-src 'self' wss://h:8443;"))
        #expect(!policy.contains("unsafe"))
        #expect(try self.get("/nothing").header("Content-Security-Policy") == nil)
    }

    @Test func theAccessLogHasNoSecret() throws {
        let fixture = try Fixture(table: .of(("a", "alpha", [.read])))
        _ = try self.get("/?token=alpha&x=1", "Authorization: Bearer alpha\r\n", fixture)
        let lines = fixture.log.all
        #expect(lines.count == 1)
        #expect(lines[0].contains("method=GET"))
        #expect(lines[0].contains("path=/ "))
        #expect(lines[0].contains("peer=192.0.2.1"))
        #expect(lines[0].contains("status=303"))
        #expect(!lines[0].contains("alpha"))
    }
}
