@testable import HTTPService
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// The HTTP connection from the first byte to the answers: parser, head gate, bodies, inflating, routing, tokens, pipelines,
/// upgrades. The answers do not depend on how the bytes are cut into reads, nothing is written after the end, and no
/// connection outlives its deadlines.
final class HTTPTarget: FuzzTarget {
    private let executor = ManualExecutor()
    private let open: HTTPServer
    private let guarded: HTTPServer

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
        return try HTTPServer(
            configuration: configuration, routes: routes,
            authenticator: Authenticator(table: table, failureLimit: 0, digest: { $0 }),
            assets: StaticAssets(
                files: ["index.html": "<!doctype html>page", "css/base.css": String(repeating: "a{} ", count: 100)],
                modified: 1_000_000_000),
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
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
        let bytes = ByteBuffer(bytes: choices.payload)
        let whole = answers(of: server, to: [bytes], endsInput: endsInput)
        let cut = answers(of: server, to: bytes.pieces(seed: seed), endsInput: endsInput)
        require(
            whole == cut,
            "the same answers however the bytes are cut:\n--- whole\n\(whole)\n--- in pieces\n\(cut)\n---")
    }

    /// What a connection answers until its deadlines have ended it, without what changes with the time.
    private func answers(of server: HTTPServer, to pieces: [ByteBuffer], endsInput: Bool) -> String {
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
        let text = written(by: channel)
        // One deadline may begin where another ends: head, body, lingering.
        for _ in 0..<4 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(100))
            settle(channel)
        }
        require(!channel.isActive || text.contains("101 Switching"), "no connection outlives its deadlines")
        _ = try? channel.finish(acceptAlreadyClosed: true)
        settle(channel)
        return text
    }

    private func settle(_ channel: EmbeddedChannel) {
        repeat { channel.embeddedEventLoop.run() } while executor.drain()
    }

    private func written(by channel: EmbeddedChannel) -> String {
        var text = ""
        while let part = try? channel.readOutbound(as: IOData.self) {
            if case .byteBuffer(let buffer) = part { text += String(buffer: buffer) }
        }
        // Whether the client is told to go on depends on what has come of the body by then (RFC 9110 section 10.1.1).
        text = text.replacing("HTTP/1.1 100 Continue\r\n\r\n", with: "")
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        return lines.filter { !$0.hasPrefix("date: ") && !$0.hasPrefix("Date: ") && !$0.hasPrefix("Set-Cookie: ") }
            .joined(separator: "\r\n") + (channel.isActive ? "\n(open)" : "\n(closed)")
    }
}

/// Sends back what comes: stands for the protocol that an upgrade leads to.
private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = IOData

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(unwrapInboundIn(data))), promise: nil)
    }
}

@available(*, unavailable)
extension EchoHandler: Sendable {}
