import NIOCore
import NIOHTTP1

/// Sends one request when the connection is there, and takes the head of the response. What follows is not read.
final class ResponseHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let head: HTTPRequestHead
    private let body: ByteBuffer
    private let response: EventLoopPromise<HTTPResponseHead>
    private var isOver = false

    /// - Parameters:
    ///   - head: the head of the request.
    ///   - body: the body of the request.
    ///   - response: gets the head of the response, or why there is none.
    init(head: HTTPRequestHead, body: ByteBuffer, response: EventLoopPromise<HTTPResponseHead>) {
        self.head = head
        self.body = body
        self.response = response
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        response.futureResult.assumeIsolated().whenComplete { [self] _ in
            isOver = true
            channel.close(promise: nil)
        }
        // The time for the request may be over already: it would be sent although it counts as failed.
        guard !isOver else { return }
        // TLS holds both until the receiver's certificate is verified.
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) { response.succeed(head) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { response.fail(error) }

    func channelInactive(context: ChannelHandlerContext) { response.fail(SendFailure.closed) }
}

/// Limits what a receiver may send before the head of its response is complete. A handler before the decoder.
final class ResponseLimit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Room for any usual head, and for a body that arrives with it.
    private static let limit = 262_144

    private var received = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += unwrapInboundIn(data).readableBytes
        guard received <= Self.limit else {
            // If the head was complete before, the response is known and this has no effect.
            context.fireErrorCaught(SendFailure.headTooLarge)
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }
}

@available(*, unavailable)
extension ResponseHandler: Sendable {}

@available(*, unavailable)
extension ResponseLimit: Sendable {}
