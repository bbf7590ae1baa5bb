import NIOCore
import NIOPosix
import NIOTLS
import TLS
import Testing

@Suite struct ClientTests {
    let folder: TestFolder
    let configuration: TLSConfiguration

    init() throws {
        folder = try TestFolder()
        configuration = try folder.serverConfiguration()
    }

    /// Connects as `name`, writes "hello" at once, and returns what came back, or the first error.
    private func exchange(
        _ name: String, port: Int, trusting authority: String?
    ) async throws -> Result<String, TLSError> {
        let context = try TLSClientContext(trusting: authority)
        let (results, continuation) = AsyncStream.makeStream(of: Result<String, TLSError>.self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        TLSHandler(
                            context: context, expecting: TLSPeerName(name), handshakeTimeout: .seconds(30)),
                        Greeter { continuation.yield($0) },
                    ])
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        var iterator = results.makeAsyncIterator()
        let result = try #require(await iterator.next())
        try? await channel.close()
        return result
    }

    @Test(arguments: TLSVersion.allCases, ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "::1"])
    func `A server is trusted under each name of its certificate`(version: TLSVersion, name: String) async throws {
        var configuration = configuration
        configuration.minimumVersion = version
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let result = try await exchange(name, port: server.port, trusting: configuration.certificateFile)
        #expect(try result.get() == "hello")
        #expect(await server.events { $0 == .inactive }.first == .handshake("http/1.1"))
        try await server.stop()
    }

    @Test(arguments: [
        ("example.org", "hostname mismatch"), ("host.localhost", "hostname mismatch"),
        ("127.0.0.2", "IP address mismatch"),
    ])
    func `A certificate for other names is refused, and no data is sent`(name: String, reason: String) async throws {
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        let result = try await exchange(name, port: server.port, trusting: configuration.certificateFile)
        #expect(throws: TLSError.untrustedCertificate(reason)) { try result.get() }
        let events = await server.events { $0 == .inactive }
        #expect(!events.contains { if case .handshake = $0 { true } else { false } })
        try await server.stop()
    }

    @Test func `A certificate of an unknown authority is refused`() async throws {
        let otherFolder = try TestFolder()
        let other = try otherFolder.serverConfiguration()
        let server = try await TestServer.start(context: TLSContext(configuration: configuration))
        for authority in [other.certificateFile, nil] {
            let result = try await exchange("localhost", port: server.port, trusting: authority)
            #expect(throws: TLSError.untrustedCertificate("self-signed certificate")) { try result.get() }
        }
        try await server.stop()
    }

    @Test func `A server that sends plaintext is refused`() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PlainServer())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let result = try await exchange("localhost", port: port, trusting: configuration.certificateFile)
        #expect(throws: TLSError.plaintext) { try result.get() }
        try await server.close()
    }

    @Test func `A file without authorities is refused`() throws {
        let file = try folder.write("no certificate\n", to: "empty.pem")
        #expect(throws: TLSError.notPEM(file: file, expected: .authorities)) { try TLSClientContext(trusting: file) }
        #expect(throws: TLSError.noSuchFile("/nowhere.pem", .authorities)) {
            try TLSClientContext(trusting: "/nowhere.pem")
        }
    }
}

/// Writes "hello" when the channel becomes active, and reports what comes back, or the first error.
private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let report: (Result<String, TLSError>) -> Void
    private var received = ""

    init(report: @escaping (Result<String, TLSError>) -> Void) { self.report = report }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "hello")), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        if received.utf8.count >= 5 { report(.success(received)) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError { report(.failure(error)) }
    }
}

/// Answers as an HTTP server without TLS.
private final class PlainServer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n")), promise: nil)
    }
}

@available(*, unavailable)
extension PlainServer: Sendable {}

@available(*, unavailable)
extension Greeter: Sendable {}
