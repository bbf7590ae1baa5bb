// This file is long because its tests share one blocking client and one server over real sockets.

import Compression
import Logging
import NIOCore
import NIOHTTP1
import Foundations
import Testing

@testable import HTTPService

/// Behavior that needs a TCP socket: handlers in tasks, order of responses, half-closure, and misbehaving clients.
@Suite struct SocketTests {
    let get = "GET /health HTTP/1.1\r\nHost: h\r\n\r\n"
    let last = "GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    /// A head timeout for tests that send a request and then wait for its handler. On a busy machine seconds may pass
    /// between connecting and sending; after a timeout the handler would never start.
    static let untilTold = TimeAmount.hours(1)

    /// Sends `request` and returns all bytes until the server closes.
    func exchange(_ request: String, _ fixture: Fixture? = nil) async throws -> String {
        try await withServer(fixture ?? Fixture()) { port in
            try await RawClient.run(port: port) { client in
                try client.send(request)
                return try client.receiveAll()
            }
        }
    }

    @Test func aRequestIsAnsweredAndItsConnectionClosedWhenAsked() async throws {
        let answer = try await self.exchange(self.last)
        #expect(answer.status == 200)
        #expect(answer.header("Connection") == "close")
        #expect(answer.header("Content-Length") == "20")
        #expect(answer.header("Cache-Control") == "no-store")
        #expect(answer.body == "{\"status\":\"healthy\"}")
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        var requests = ""
        for index in 0..<50 {
            requests += "GET /runs/\(index) HTTP/1.1\r\nHost: h\r\n\r\n"
            requests += "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\(1_000 + index)"
            requests += "GET /none HTTP/1.1\r\nHost: h\r\n\r\n"
        }
        let answer = try await self.exchange(requests + self.last)
        let bodies = answer.split(separator: "\r\n").filter { !$0.contains(": ") }.flatMap { line in
            // A body and the next status line are on one line, because bodies do not end with a line break.
            line.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: true).map(String.init)
        }.filter { !$0.hasSuffix("OK") && !$0.hasSuffix("Accepted") && !$0.hasSuffix("Not Found") }
        let expected = (0..<50).flatMap { ["\($0)", "\(1_000 + $0)", "{\"detail\":\"Not Found\"}"] }
        #expect(bodies == expected + ["{\"status\":\"healthy\"}"])
    }

    @Test func aFailureIsAnsweredAfterThePipelinedRequestsBeforeIt() async throws {
        let answer = try await self.exchange(self.get + "garbage\r\n\r\n")
        #expect(answer.status == 200)
        #expect(answer.contains("HTTP/1.1 400 Bad Request"))
    }

    @Test func aLongAnswerIsEndedOnceAndTheRequestBehindItAnswered() async throws {
        // The body is longer than a piece and the client accepts it at once, so the channel becomes writable during
        // `flush`.
        let answer = try await self.exchange(
            String(repeating: "GET /large HTTP/1.1\r\nHost: h\r\n\r\nGET /runs/7 HTTP/1.1\r\nHost: h\r\n\r\n", count: 3)
                + "GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        #expect(answer.split(separator: "HTTP/1.1 200 OK\r\n").count == 7)
        #expect(answer.split(separator: "\r\n\r\n7HTTP/1.1 200 OK\r\n").count == 4)
        #expect(answer.hasSuffix("{\"status\":\"healthy\"}"))
    }

    @Test func headIsGetWithoutItsBody() async throws {
        let answer = try await self.exchange(
            "HEAD /large HTTP/1.1\r\nHost: h\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        #expect(answer.header("Content-Length") == "500000")
        #expect(answer.hasSuffix("\r\n\r\n"))
        #expect(answer.split(separator: "HTTP/1.1 200 OK").count == 2)
    }

    @Test func http10ClosesUnlessAskedToKeepTheConnection() async throws {
        let closed = try await self.exchange("GET /health HTTP/1.0\r\n\r\n")
        #expect(closed.header("Connection") == "close")
        let kept = try await self.exchange(
            "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /health HTTP/1.0\r\n\r\n")
        #expect(kept.header("Connection") == "keep-alive")
        #expect(kept.split(separator: "HTTP/1.1 200 OK").count == 2)
    }

    @Test func aStreamIsChunkedAndForHTTP10EndsWithTheConnection() async throws {
        let chunked = try await self.exchange("GET /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        #expect(chunked.header("Transfer-Encoding") == "chunked")
        #expect(chunked.body.hasPrefix("8\r\npiece 0\n\r\n8\r\npiece 1\n\r\n"))
        #expect(chunked.body.hasSuffix("\r\n0\r\n\r\n"))
        let old = try await self.exchange("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(old.header("Transfer-Encoding") == nil)
        #expect(old.header("Connection") == "close")
        #expect(old.body == "piece 0\npiece 1\npiece 2\npiece 3\npiece 4\n")
    }

    @Test func chunkedBodiesAreTaken() async throws {
        let answer = try await self.exchange(
            "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                + "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: x\r\n\r\n")
        #expect(answer.status == 202)
        #expect(answer.body == "abcde")
    }

    @Test func aBodyIsInflated() async throws {
        var compressed = ByteBuffer()
        var deflater = try Deflater(format: .gzip)
        try deflater.deflate(ByteBuffer(string: "{\"a\":1}"), into: &compressed, flush: .finish)
        let body = compressed
        try await withServer(Fixture()) { port in
            let answer = try await RawClient.run(port: port) { client in
                try client.send(
                    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nConnection: close\r\n"
                        + "Content-Length: \(body.readableBytes)\r\n\r\n")
                try client.send(Array(body.readableBytesView))
                return try client.receiveAll()
            }
            #expect(answer.status == 202)
            #expect(answer.body == "{\"a\":1}")
        }
    }

    @Test func aBodyThatExpandsTooMuchIs413AndTheClientSeesIt() async throws {
        var compressed = ByteBuffer()
        var deflater = try Deflater(format: .gzip, level: 9)
        try deflater.deflate(ByteBuffer(repeating: 0, count: 20_000_000), into: &compressed, flush: .finish)
        let body = compressed
        try await withServer(Fixture()) { port in
            let answer = try await RawClient.run(port: port) { client in
                try client.send(
                    "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\n"
                        + "Content-Length: \(body.readableBytes)\r\n\r\n")
                try client.send(Array(body.readableBytesView))
                return try client.receive(until: "}}")
            }
            #expect(answer.status == 413)
            #expect(answer.contains("payload_too_large"))
        }
    }

    @Test func anEarlyAnswerReachesAClientThatSendsOnRegardless() async throws {
        try await withServer(Fixture()) { port in
            let answer = try await RawClient.run(port: port) { client in
                try client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n")
                let piece = [UInt8](repeating: 0x61, count: 1_000_000)
                // Send the whole body before reading: after a reset the response would be lost.
                for _ in 0..<20 { try client.send(piece) }
                return try client.receiveAll()
            }
            #expect(answer.status == 413)
            #expect(answer.header("Connection") == "close")
        }
    }

    @Test func oneHundredContinueComesBeforeTheBodyIsSent() async throws {
        try await withServer(Fixture()) { port in
            let answer = try await RawClient.run(port: port) { client in
                try client.send(
                    "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
                        + "Connection: close\r\n\r\n")
                let interim = try client.receive(until: "\r\n\r\n")
                #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
                try client.send("{}")
                return try client.receiveAll()
            }
            #expect(answer.status == 202)
            #expect(answer.body == "{}")
        }
    }

    @Test func aClientThatHasClosedItsSendingSideGetsItsAnswer() async throws {
        try await withServer(Fixture()) { port in
            let answer = try await RawClient.run(port: port) { client in
                try client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
                client.endSending()
                return try client.receiveAll()
            }
            #expect(answer.status == 200)
            #expect(answer.body.utf8.count == 500_000)
        }
    }

    @Test func answersAreCompressedForThoseWhoTakeIt() async throws {
        try await withServer(Fixture()) { port in
            for path in ["/large", "/stream"] {
                let bytes = try await RawClient.run(port: port) { client in
                    try client.send(
                        "GET \(path) HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
                    var all: [UInt8] = []
                    while case let bytes = try client.receive(), !bytes.isEmpty { all += bytes }
                    return all
                }
                let end = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("\r\n\r\n".utf8)) })
                let head = String(decoding: bytes[..<(end + 4)], as: UTF8.self)
                #expect(head.header("Content-Encoding") == "gzip")
                #expect(head.header("Vary") == "Accept-Encoding")
                var inflater = try Inflater(
                    format: .gzip, limits: ExpansionLimits(maximumSize: 1_000_000, maximumRatio: 10_000, ratioFloor: 0))
                var input = ByteBuffer(bytes: bytes[(end + 4)...])
                var output = ByteBuffer()
                try inflater.inflate(&input, into: &output)
                try inflater.finish()
                #expect(output.readableBytes == (path == "/large" ? 500_000 : 40))
            }
        }
    }

    @Test func whatAHandlerThrowsIsAnAnswerOrA500WithoutDetail() async throws {
        let fixture = try Fixture()
        let teapot = try await self.exchange("GET /teapot HTTP/1.0\r\n\r\n", fixture)
        #expect(teapot.status == 418)
        let broken = try await self.exchange("GET /broken HTTP/1.0\r\n\r\n", fixture)
        #expect(broken.status == 500)
        #expect(broken.body.hasPrefix("{\"detail\":{\"error\":\"internal_error\""))
        #expect(!broken.contains("inner secret"))
        #expect(fixture.log.all.contains { $0.hasPrefix("error request failed") && $0.contains("inner secret") })
    }

    @Test(arguments: ["a\r\nX: y", "a\n", "a\u{0}", "\u{7f}"])
    func aHeaderThatWouldSplitTheAnswerIsNeverWritten(value: String) async throws {
        let fixture = try Fixture(routes: [
            .on(.GET, "/split", scope: nil) { _ in .redirect(to: "/" + value) },
            .on(.GET, "/name", scope: nil) { _ in HTTPResponse(status: .ok, headers: [value: "x"]) },
        ])
        for path in ["/split", "/name"] {
            let answer = try await self.exchange("GET \(path) HTTP/1.0\r\n\r\n", fixture)
            #expect(answer.status == 500)
            #expect(answer.body.hasPrefix("{\"detail\":{\"error\":\"internal_error\""))
            #expect(!answer.contains("X: y"))
        }
        let refused = fixture.log.all.filter { $0.hasPrefix("error a handler's response has an invalid header") }
        #expect(refused.count == 2)
    }

    @Test func aClientThatTakesNothingIsDroppedAndItsStreamEnds() async throws {
        let (ended, continuation) = AsyncStream.makeStream(of: Bool.self)
        let fixture = try Fixture(
            routes: [
                .on(.GET, "/endless", scope: nil) { _ in
                    HTTPResponse(
                        status: .ok,
                        body: .stream { writer in
                            do {
                                while true { try await writer.write(ByteBuffer(repeating: 0x61, count: 65_536)) }
                            } catch {
                                continuation.yield(error as? HTTPServiceError == .connectionClosed)
                                throw error
                            }
                        })
                }
            ],
            configure: {
                $0.writeTimeout = .milliseconds(50)
                $0.headTimeout = Self.untilTold
            })
        try await withServer(fixture) { port in
            let client = try await RawClient.connect(port: port, receiveBuffer: 4_096)
            try await client.perform { try $0.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n") }
            // The client reads nothing and keeps the connection open until the stream has ended.
            #expect(await ended.first { _ in true } == true)
            client.resetWhenClosed()
        }
    }

    @Test func aHandlerIsCancelledWhenItsClientGoes() async throws {
        let (events, continuation) = AsyncStream.makeStream(of: String.self)
        let fixture = try Fixture(
            routes: [
                .on(.GET, "/wait", scope: nil) { _ in
                    continuation.yield("started")
                    let (never, _) = AsyncStream.makeStream(of: Void.self)
                    for await _ in never {}
                    continuation.yield(Task.isCancelled ? "cancelled" : "not cancelled")
                    return HTTPResponse(status: .ok)
                }
            ], configure: { $0.headTimeout = Self.untilTold })
        try await withServer(fixture) { port in
            var iterator = events.makeAsyncIterator()
            do {
                let client = try await RawClient.connect(port: port)
                try await client.perform { try $0.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n") }
                #expect(await iterator.next() == "started")
                client.resetWhenClosed()
            }
            #expect(await iterator.next() == "cancelled")
        }
    }

    @Test func aBusyConnectionAnswersWhatItHasBegunAndClosesWhenTheServerStops() async throws {
        let (events, continuation) = AsyncStream.makeStream(of: Void.self)
        let (gate, opening) = AsyncStream.makeStream(of: Void.self)
        let channels = Locked<[any Channel]>([])
        let fixture = try Fixture(
            routes: [
                .on(.GET, "/slow", scope: nil) { _ in
                    continuation.yield()
                    for await _ in gate { break }
                    return .text("done")
                }
            ], configure: { $0.headTimeout = Self.untilTold })
        try await withServer(fixture, onConnect: { channel in channels.withLock { $0.append(channel) } }) { port in
            let client = try await RawClient.connect(port: port)
            try await client.perform { try $0.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n") }
            for await _ in events { break }
            for channel in channels.withLock({ $0 }) {
                channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
                // Wait until the event loop has processed the event.
                try await channel.eventLoop.submit {}.get()
            }
            opening.yield()
            let answer = try await client.perform { try $0.receiveAll() }
            #expect(answer.status == 200)
            #expect(answer.header("Connection") == "close")
            #expect(answer.body == "done")
        }
    }

    @Test func anUpgradeHandsOverTheConnectionWithWhatWasSentAlready() async throws {
        let fixture = try Fixture(routes: [
            .upgrade("/echo-upgrade", scope: nil) { _, _ in
                .accept(headers: ["Upgrade": "echo", "Connection": "Upgrade"]) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(EchoHandler())
                    }
                }
            },
            .upgrade("/refused", scope: nil) { _, _ in .reject(.error(.badRequest, code: "no", message: "no")) },
        ])
        try await withServer(fixture) { port in
            let upgrade = "GET /echo-upgrade HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
            let answer = try await RawClient.run(port: port) { client in
                try client.send(self.get + upgrade + "already sent,")
                var answer = try client.receive(until: "already sent,")
                try client.send(" and sent later")
                answer += try client.receive(until: "later")
                client.endSending()
                return answer + (try client.receiveAll())
            }
            #expect(answer.contains("HTTP/1.1 101 Switching Protocols\r\n"))
            #expect(answer.hasSuffix("\r\n\r\nalready sent, and sent later"))
            for (request, status) in [
                ("GET /echo-upgrade HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 426),
                ("GET /refused HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: echo\r\n\r\n", 400),
                ("POST /echo-upgrade HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 405),
            ] {
                let answer = try await RawClient.run(port: port) { client in
                    try client.send(request)
                    return try client.receiveAll()
                }
                #expect(answer.status == status)
            }
        }
    }
}

/// Echoes its input.
final class EchoHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(data, promise: nil)
    }
}
