import NIOCore
import NIOHTTP1
import NIOPosix
import SystemPackage
import TLS

/// Why a request got no response.
enum SendFailure: Error {
    /// No response came within the time for the whole request.
    case timeout
    /// The receiver closed the connection before the head of its response was complete.
    case closed
    /// The head of the response is too large.
    case headTooLarge
    /// The server stops.
    case cancelled

    /// Describes an error of a connection: a clause that follows "its receiver". It contains no part of the address.
    static func reason(_ error: any Error) -> String {
        switch error {
        case SendFailure.timeout: "did not answer within ALERT_TIMEOUT"
        case SendFailure.closed, TLSError.truncated, TLSError.handshakeInterrupted:
            "closed the connection without an answer"
        case SendFailure.headTooLarge: "sent a response head that is too large"
        case SendFailure.cancelled: "was still busy when the server stopped"
        case ChannelError.connectTimeout: noConnection
        case let error as NIOConnectionError: connectionReason(error)
        case let error as IOError: "cannot be reached: \(Errno(rawValue: error.errnoCode))"
        case TLSError.untrustedCertificate(let reason):
            "has a certificate that is not trusted (\(reason)): correct it there, or name its authority in ALERT_CA_FILE"
        case TLSError.plaintext:
            "answered without TLS: write http:// in its address in ALERT_WEBHOOKS, or the port of its HTTPS"
        case let error as TLSError: "cannot be reached over TLS: \(error)"
        case is HTTPParserError: "sent a response that is not HTTP/1.1"
        default: "cannot be reached: the connection failed"
        }
    }

    private static let noConnection = "accepted no connection within ALERT_CONNECT_TIMEOUT"

    private static func connectionReason(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first {
            switch first.error {
            case let error as IOError: return "cannot be reached: \(Errno(rawValue: error.errnoCode))"
            case ChannelError.connectTimeout: return noConnection
            default: break
            }
        }
        return error.dnsAError == nil && error.dnsAAAAError == nil
            ? "cannot be reached" : "cannot be reached: its host name is unknown; check it, and the machine's DNS"
    }
}
