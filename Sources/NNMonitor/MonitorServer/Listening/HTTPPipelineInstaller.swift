import HTTPService
import Logging
import NIOCore
import NIOTLS
import TLS

/// Follows the TLS handler in the pipeline and replaces itself with the HTTP handlers when the handshake completes.
///
/// So the header timeout starts when the client can send a request, and a client that never completes its handshake
/// costs no HTTP state.
final class HTTPPipelineInstaller: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let http: HTTPServer
    private let foldedLog: FoldedLog

    init(http: HTTPServer, foldedLog: FoldedLog) {
        self.http = http
        self.foldedLog = foldedLog
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError {
            foldedLog.note(error.handshakeCause, level: .info, "TLS handshake failed") {
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
            // No request has started, so there is nothing to finish.
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }
}

extension TLSError {
    /// The kind of failure, without data that the client sent. Failures of one kind share a log line.
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
extension HTTPPipelineInstaller: Sendable {}
