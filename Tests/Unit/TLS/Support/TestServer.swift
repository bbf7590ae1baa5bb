import NIOCore
import NIOPosix
import NIOTLS
import TLS
import Synchronization

/// A server on a free port of 127.0.0.1: TLS with an echo handler.
struct TestServer: Sendable {
    enum Event: Sendable, Equatable {
        case handshake(String?)
        case shutdown
        case inputClosed
        case error(TLSError)
        case otherError(String)
        case inactive
    }

    let channel: any Channel
    let events: AsyncStream<Event>
    var port: Int { channel.localAddress?.port ?? 0 }

    static func start(
        context: TLSContext,
        halfClosure: Bool = true,
        autoRead: Bool = true,
        handshakeTimeout: TimeAmount = .seconds(30),
        application: @escaping @Sendable () -> EchoHandler = { EchoHandler() },
        plaintextAnswer: (@Sendable (ByteBuffer) -> ByteBuffer)? = nil
    ) async throws -> TestServer {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: halfClosure)
            .childChannelOption(.autoRead, value: autoRead)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(
                        TLSHandler(
                            context: context, handshakeTimeout: handshakeTimeout, plaintextAnswer: plaintextAnswer))
                    let handler = application()
                    handler.report = { continuation.yield($0) }
                    try pipeline.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TestServer(channel: channel, events: events)
    }

    func stop() async throws {
        try await channel.close()
    }

    /// Returns the events up to and including the first that matches.
    func events(until isLast: (Event) -> Bool) async -> [Event] {
        var seen: [Event] = []
        for await event in events {
            seen.append(event)
            if isLast(event) { break }
        }
        return seen
    }
}

/// Echoes its input. At the end of the input it writes `replyAtEnd`, if any, and closes its output.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    var report: (TestServer.Event) -> Void = { _ in }
    var readsExplicitly = false
    var replyAtEnd: ByteBuffer?

    func channelActive(context: ChannelHandlerContext) {
        if readsExplicitly { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        if readsExplicitly { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted(let name)? = event as? TLSUserEvent { report(.handshake(name)) }
        if event as? TLSUserEvent == .shutdownCompleted { report(.shutdown) }
        if event as? ChannelEvent == .inputClosed {
            report(.inputClosed)
            if let replyAtEnd { context.writeAndFlush(wrapOutboundOut(replyAtEnd), promise: nil) }
            context.close(mode: .output, promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        report((error as? TLSError).map { .error($0) } ?? .otherError("\(error)"))
    }

    func channelInactive(context: ChannelHandlerContext) {
        report(.inactive)
    }
}
