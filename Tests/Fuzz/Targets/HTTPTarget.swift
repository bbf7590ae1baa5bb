@testable import HTTPService
import Logging
import MonitorAPI
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// An HTTP connection from the first byte to the responses: parsing, checks of the head, bodies, decompression,
/// routing, tokens, pipelining, upgrades.
///
/// The responses do not depend on how the bytes are split into reads, nothing is written after the end, no connection
/// outlives its deadlines, and NIO's decoder reads the same requests (`DecoderComparison`).
final class HTTPTarget: FuzzTarget {
    private let executor = ManualExecutor()
    private let open: HTTPServer
    private let guarded: HTTPServer
    private let comparison = DecoderComparison(
        limits: RequestDecoder.Limits(headSize: 2048, fieldCount: 20, targetSize: 8192))

    init() {
        do {
            open = try Self.server(.open, executor)
            let entry = TokenTable.Entry(name: "t", scopes: [.read, .ingest], digest: Array("right".utf8))
            guarded = try Self.server(TokenTable(entries: [entry]), executor)
        } catch {
            fatalError("the server is made: \(error)")
        }
    }

    private static func server(_ table: TokenTable, _ executor: ManualExecutor) throws -> HTTPServer {
        var configuration = HTTPConfiguration()
        configuration.maximumRequestSize = 4096
        configuration.maximumHeaderBytes = 2048
        configuration.maximumHeaderCount = 20
        configuration.drainBytes = 2048
        configuration.handlerExecutor = executor
        let authenticator = Authenticator(table: table, failureLimit: 0, digest: { $0 })
        let assets = StaticAssets(
            files: ["index.html": "<!doctype html>page", "css/base.css": String(repeating: "a{} ", count: 100)],
            paths: AssetPath.dashboard, modified: 1_000_000_000)
        let login = BrowserLogin(authenticator: authenticator, assets: assets, cors: configuration.cors)
        return try HTTPServer(
            configuration: configuration, routes: routes + login.routes, authenticator: authenticator, assets: assets,
            login: login, logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
    }

    private static let routes: [Route] = [
        .on(.GET, "/health", scope: nil) { _ in .json("{}") },
        .on(.GET, "/runs/{id}", scope: .read) { .text($0.parameters[0]) },
        .on(.DELETE, "/runs/{id}", scope: .read) { _ in HTTPResponse(status: .noContent) },
        .on(.POST, "/echo", scope: .ingest, body: .json) { .json($0.body, status: .accepted) },
        .on(.GET, "/stream", scope: .read) { _ in
            HTTPResponse(
                status: .ok, headers: ["Content-Type": "text/plain"],
                body: .stream { writer in
                    for piece in ["one ", "two ", "three"] { try await writer.write(ByteBuffer(string: piece)) }
                })
        },
        .upgrade("/ws", scope: .read) { head, _ in
            guard head.headers.contains(name: "upgrade") else {
                return .reject(.error(.upgradeRequired, code: "upgrade_required", message: "upgrade"))
            }
            return .accept(headers: ["upgrade": "echo", "connection": "upgrade"]) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
        },
    ]

    func run(_ input: [UInt8]) {
        var choices = Choices(input)
        let server = choices.yes() ? guarded : open
        let seed = choices.number(in: 0...255)
        let endsInput = choices.yes()
        comparison.check(Array(choices.payload))
        let bytes = ByteBuffer(bytes: choices.payload)
        let whole = answers(of: server, to: [bytes], endsInput: endsInput)
        let cut = answers(of: server, to: bytes.pieces(seed: seed), endsInput: endsInput)
        require(
            whole.text == cut.text,
            "the same answers however the bytes are cut:\n--- whole\n\(whole.text)\n--- in pieces\n\(cut.text)\n---")
        // If all bytes arrive in one read, only the last request can still lack its body, so at most one `100 Continue`
        // is sent.
        require(whole.continues <= 1, "a client that sent its whole input gets \(whole.continues) 100 Continue")
        require(
            cut.continues <= Self.expectations(in: Array(bytes.readableBytesView)),
            "\(cut.continues) 100 Continue responses, more than were expected")
    }

    /// An upper bound on the requests that expect `100 Continue`: each contains both `100-continue` and `HTTP/1.1`.
    private static func expectations(in bytes: [UInt8]) -> Int {
        let lowered = bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return min(
            lowered.ranges(of: Array("100-continue".utf8)).count, bytes.ranges(of: Array("HTTP/1.1".utf8)).count)
    }

    /// The output of a connection until its deadlines have passed.
    private func answers(of server: HTTPServer, to pieces: [ByteBuffer], endsInput: Bool) -> Answers {
        let channel = EmbeddedChannel()
        do {
            let address = try SocketAddress(ipAddress: "192.0.2.1", port: 4000)
            channel.remoteAddress = address
            try server.install(on: channel, secure: true)
            try channel.connect(to: address).wait()
        } catch {
            fatalError("a connection is set up: \(error)")
        }
        for piece in pieces where channel.isActive {
            channel.pipeline.fireChannelRead(piece)
            channel.pipeline.fireChannelReadComplete()
            settle(channel)
        }
        if endsInput && channel.isActive {
            channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            settle(channel)
        }
        let answers = Answers(of: channel)
        // Deadlines may follow each other: head, body, lingering close.
        for _ in 0..<4 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(100))
            settle(channel)
        }
        require(!channel.isActive || answers.text.contains("101 Switching"), "no connection outlives its deadlines")
        _ = try? channel.finish(acceptAlreadyClosed: true)
        settle(channel)
        return answers
    }

    private func settle(_ channel: EmbeddedChannel) {
        repeat { channel.embeddedEventLoop.run() } while executor.drain()
    }
}

/// The output of a connection.
private struct Answers {
    private static let continueResponse = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
    /// Statuses that are decided by the head alone: they must not follow `100 Continue`.
    private static let refusals = ["404", "405", "417", "421"].map { ByteBuffer(string: "HTTP/1.1 \($0) ") }

    /// The output without `100 Continue` and without time-dependent headers.
    private(set) var text = ""
    /// The number of `100 Continue` responses. It depends on how much of the body has arrived, and so on the splitting
    /// (RFC 9110 section 10.1.1).
    private(set) var continues = 0

    init(of channel: EmbeddedChannel) {
        var hasContinued = false
        // Decoded as a whole: a character that is cut between two buffers would be repaired in both.
        var bytes: [UInt8] = []
        while let part = try? channel.readOutbound(as: IOData.self) {
            guard case .byteBuffer(let buffer) = part, buffer.readableBytes > 0 else { continue }
            // `100 Continue` is written as a separate buffer. A response body would match only if it had exactly these
            // bytes.
            guard buffer != Self.continueResponse else {
                require(!hasContinued, "one request gets at most one 100 Continue")
                hasContinued = true
                continues += 1
                continue
            }
            let isRefusal = Self.refusals.contains { buffer.readableBytesView.starts(with: $0.readableBytesView) }
            require(!hasContinued || !isRefusal, "a request that is rejected by its head gets no 100 Continue")
            hasContinued = false
            bytes += buffer.readableBytesView
        }
        text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        text =
            lines.filter { !$0.hasPrefix("date: ") && !$0.hasPrefix("Date: ") && !$0.hasPrefix("Set-Cookie: ") }
            .joined(separator: "\r\n") + (channel.isActive ? "\n(open)" : "\n(closed)")
    }
}

/// Echoes all bytes. Stands in for the upgraded protocol.
private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = IOData

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(unwrapInboundIn(data))), promise: nil)
    }
}

@available(*, unavailable)
extension EchoHandler: Sendable {}
