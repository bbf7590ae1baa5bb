import NIOCore
import NIOHTTP1
import TLS
import WebSocket

/// Performs the opening handshake: reads one HTTP request, responds, then replaces the HTTP handlers with WebSocket.
final class EchoHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let configuration: WebSocketConfiguration
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let encoder: HTTPResponseEncoder
    private var head: HTTPRequestHead?

    private init(
        _ configuration: WebSocketConfiguration, decoder: ByteToMessageHandler<HTTPRequestDecoder>,
        encoder: HTTPResponseEncoder
    ) {
        self.configuration = configuration
        self.decoder = decoder
        self.encoder = encoder
    }

    /// Adds the HTTP codec and the handshake to a channel.
    static func install(on channel: any Channel, configuration: WebSocketConfiguration) throws {
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        let handshake = EchoHandshake(configuration, decoder: decoder, encoder: encoder)
        try channel.pipeline.syncOperations.addHandlers([encoder, decoder, handshake])
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end: respond(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func respond(_ context: ChannelHandlerContext) {
        guard let head else { return }
        let outcome = WebSocketHandshake.negotiate(
            head, configuration: configuration, sha1Base64: SHA1Digest.base64)
        switch outcome {
        case .rejected(let status, let headers, _):
            write(HTTPResponseHead(version: .http1_1, status: status, headers: headers), context)
            context.close(promise: nil)
        case .accepted(let headers, let deflate):
            write(HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers), context)
            do {
                let pipeline = context.pipeline.syncOperations
                try pipeline.addHandlers([
                    WebSocketHandler(configuration: configuration, deflate: deflate), Echo(),
                ])
                pipeline.removeHandler(encoder, promise: nil)
                // Removing the decoder forwards bytes after the request to the new handlers.
                pipeline.removeHandler(self, promise: nil)
                pipeline.removeHandler(decoder, promise: nil)
            } catch {
                context.close(promise: nil)
            }
        }
    }

    private func write(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// Sends every message back unchanged.
final class Echo: ChannelInboundHandler {
    typealias InboundIn = WebSocketMessage
    typealias OutboundOut = WebSocketOutbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .text(let text): context.writeAndFlush(wrapOutboundOut(.text(text)), promise: nil)
        case .binary(let bytes): context.writeAndFlush(wrapOutboundOut(.binary(bytes)), promise: nil)
        }
    }
}
