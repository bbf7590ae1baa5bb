import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import HTTPService

@Suite struct FairTurnTests {
    private static let turn = TimeAmount.microseconds(100)

    private static func pipeline(_ count: Int, of path: String = "/none") -> String {
        String(repeating: "GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n", count: count)
    }

    @Test func `A turn ends after its requests`() throws {
        let connection = try EmbeddedConnection(Fixture())
        var answers = try connection.exchange(Self.pipeline(3 * TurnBudget.requests)).ranges(of: "HTTP/1.1 404").count
        #expect(answers == TurnBudget.requests)
        for turn in 2...3 {
            connection.advance(Self.turn)
            answers += try connection.received().ranges(of: "HTTP/1.1 404").count
            #expect(answers == turn * TurnBudget.requests)
        }
    }

    @Test func `A turn ends after its bytes of responses`() throws {
        let page = Fixture.page.utf8.count
        let connection = try EmbeddedConnection(Fixture())
        var budget = TurnBudget()
        for _ in 0..<TurnBudget.bytes / page { budget.spend(bytes: page) }
        #expect(!budget.isSpent)
        budget.spend(bytes: page)
        #expect(budget.isSpent)
        #expect(try connection.exchange(Self.pipeline(2, of: "/login")).ranges(of: "HTTP/1.1 200").count == 2)
    }

    @Test func `A body that fails while it is decompressed ends the turn`() throws {
        let connection = try EmbeddedConnection(Fixture())
        let broken =
            "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
            + "Content-Length: 4\r\n\r\nnone"
        let first = try connection.exchange(broken + Self.pipeline(1))
        #expect(first.ranges(of: "HTTP/1.1 400").count == 1)
        #expect(first.ranges(of: "HTTP/1.1 404").isEmpty)
        connection.advance(Self.turn)
        #expect(try connection.received().ranges(of: "HTTP/1.1 404").count == 1)
    }

    @Test func `A round with more connections has smaller turns, but at least one request each`() {
        func requests(_ roundSize: Int) -> Int {
            var budget = TurnBudget(roundSize: roundSize)
            var count = 0
            while !budget.isSpent {
                budget.spendRequest()
                count += 1
            }
            return count
        }
        #expect(requests(1) == TurnBudget.requests)
        #expect(requests(TurnBudget.turnsPerRound) == TurnBudget.requests)
        #expect(requests(2 * TurnBudget.turnsPerRound) == TurnBudget.requests / 2)
        #expect(requests(1000) == 1)
    }

    @Test func `Reading stops while a pipelined request waits for its turn`() throws {
        let connection = try EmbeddedConnection(Fixture())
        try connection.channel.writeInbound(ByteBuffer(string: Self.pipeline(TurnBudget.requests + 1)))
        let counter = ReadCounter()
        try connection.channel.pipeline.syncOperations.addHandler(counter, position: .first)
        connection.channel.read()
        #expect(counter.reads == 0)
        connection.advance(Self.turn)
        #expect(counter.reads == 1)
    }

    @Test(arguments: [1, 3, 12])
    func `A request is answered after one turn of each connection that pipelines`(connections: Int) async throws {
        let requests = 2000
        let answered = Atomic<Int>(0)
        let answeredBefore = Atomic<Int>(0)
        let newcomer = Mutex<RawClient?>(nil)
        // The newcomer's request is in the server's socket when this many requests of the others are answered.
        let start = requests * connections / 4
        let fixture = try Fixture(routes: [
            .on(.GET, "/count", scope: nil) { _ in
                if answered.add(1, ordering: .relaxed).newValue == start {
                    try newcomer.withLock { try $0?.send(Self.pipeline(1, of: "/newcomer")) }
                }
                return HTTPResponse(status: .noContent)
            },
            .on(.GET, "/newcomer", scope: nil) { _ in
                answeredBefore.store(answered.load(ordering: .relaxed) - start, ordering: .relaxed)
                return HTTPResponse(status: .noContent)
            },
        ]) {
            // A client may wait for a free thread between its connection and its request.
            $0.headTimeout = .minutes(5)
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await withServer(fixture, group: group) { port in
            let client = try await RawClient.connect(port: port)
            // Its connection is accepted and idle.
            _ = try await client.perform { client in
                try client.send(Self.pipeline(1, of: "/health"))
                return try client.receive(until: "}")
            }
            newcomer.withLock { $0 = client }
            try await withThrowingTaskGroup(of: Void.self) { clients in
                for _ in 0..<connections {
                    let client = try await RawClient.connect(port: port)
                    clients.addTask {
                        try await client.perform { client in
                            try client.send(Self.pipeline(requests - 1, of: "/count"))
                            try client.send("GET /count HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                            _ = try client.receiveAll()
                        }
                    }
                }
                try await clients.waitForAll()
            }
            _ = try await client.perform { try $0.receive(until: "\r\n\r\n") }
            newcomer.withLock { $0 = nil }
        }
        try await group.shutdownGracefully()
        #expect(answered.load(ordering: .relaxed) == requests * connections)
        // The turn in which the request arrives, and the turns that begin in the same poll.
        #expect(answeredBefore.load(ordering: .relaxed) <= 2 * connections * TurnBudget.requests)
    }
}

/// Counts the reads that reach the socket.
private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var reads = 0

    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }
}

@available(*, unavailable)
extension ReadCounter: Sendable {}
