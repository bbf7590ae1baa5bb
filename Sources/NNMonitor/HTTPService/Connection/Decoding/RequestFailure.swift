import NIOHTTP1

/// An error that prevents reading a request. Each has one response, after which the connection closes.
enum RequestFailure: Error, Equatable, Sendable {
    /// Malformed HTTP/1.x; the text describes the error.
    case malformed(String)
    /// An unsupported HTTP version.
    case versionNotSupported
    /// An unknown method.
    case methodUnknown
    /// A transfer coding other than chunked.
    case transferCodingUnknown
    /// The head, the trailer or the chunk extensions exceed the limits on size or number of fields.
    case headersTooLarge
    /// The request target exceeds its limit.
    case targetTooLong
    /// The head did not arrive in time.
    case headTimeout
    /// The body did not arrive in time.
    case bodyTimeout

    var response: HTTPResponse {
        switch self {
        case .malformed(let reason):
            .error(.badRequest, code: "bad_request", message: reason)
        case .versionNotSupported:
            .error(
                .httpVersionNotSupported, code: "version_not_supported",
                message: "The only supported versions are HTTP/1.0 and HTTP/1.1")
        case .methodUnknown:
            .error(.notImplemented, code: "not_implemented", message: "The request's method is not supported")
        case .transferCodingUnknown:
            .error(
                .notImplemented, code: "not_implemented",
                message: "The only supported Transfer-Encoding is chunked")
        case .headersTooLarge:
            .error(
                .requestHeaderFieldsTooLarge, code: "headers_too_large", message: "The request's headers are too large")
        case .targetTooLong:
            .error(.uriTooLong, code: "uri_too_long", message: "The request's target is too long")
        case .headTimeout:
            .error(.requestTimeout, code: "request_timeout", message: "The request's head did not arrive in time")
        case .bodyTimeout:
            .error(.requestTimeout, code: "request_timeout", message: "The request's body did not arrive in time")
        }
    }
}
