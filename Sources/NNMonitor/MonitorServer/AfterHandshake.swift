import HTTPService
import Logging
import NIOCore
import NIOTLS
import TLS

/// Stands behind TLS until the handshake is complete, then puts the HTTP service in its place.
///
/// So the time for a request's head begins when the client can send one, and a client that never finishes its handshake
/// has cost no more than that.
final class AfterHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let http: HTTPServer
    private let strangers: FoldedLog

    init(http: HTTPServer, strangers: FoldedLog) {
        self.http = http
        self.strangers = strangers
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError {
            strangers.note(error.handshakeCause, level: .info, "TLS handshake failed") {
                ["reason": "\(error)", "peer": "\(context.remoteAddress?.ipAddress ?? "unknown")"]
            }
        }
        context.fireErrorCaught(error)
    }

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

extension TLSError {
    /// The kind of failure, without what the client sent.
    fileprivate var handshakeCause: String {
        switch self {
        case .handshakeTimeout: "TLS timeout"
        case .handshakeInterrupted: "TLS interrupted"
        case .plaintext: "TLS plain HTTP"
        default: "TLS failed"
        }
    }
}

@available(*, unavailable)
extension AfterHandshake: Sendable {}
