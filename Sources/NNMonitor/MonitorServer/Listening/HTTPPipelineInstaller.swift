import HTTPService
import NIOCore
import NIOTLS

/// Stands behind TLS until the handshake is complete, then puts the HTTP service in its place.
///
/// So the time for a request's head begins when the client can send one, and a client that never finishes its handshake
/// has cost no more than that.
final class AfterHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let http: HTTPServer

    init(http: HTTPServer) { self.http = http }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted:
            do {
                try http.install(on: context.channel, secure: true)
            } catch {
                context.fireErrorCaught(error)
                context.close(promise: nil)
                return
            }
            context.fireUserInboundEventTriggered(event)
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        case is ChannelShouldQuiesceEvent:
            // No request has been begun.
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }
}

@available(*, unavailable)
extension AfterHandshake: Sendable {}
