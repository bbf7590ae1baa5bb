import HTTPService
import NIOCore
import NIOTLS

/// Follows the TLS handler in the pipeline and replaces itself with the HTTP handlers when the handshake completes.
///
/// So the header timeout starts when the client can send a request, and a client that never completes its handshake
/// costs no HTTP state.
final class HTTPPipelineInstaller: ChannelInboundHandler, RemovableChannelHandler {
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
            // No request has started, so there is nothing to finish.
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }
}

@available(*, unavailable)
extension HTTPPipelineInstaller: Sendable {}
