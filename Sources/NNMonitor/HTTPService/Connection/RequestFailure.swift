import NIOHTTP1

/// Why a request could not be read to its end. Each has one answer, after which the connection closes.
enum RequestFailure: Error, Equatable, Sendable {
    /// Not HTTP/1.x; the text says what is wrong.
    case malformed(String)
    /// A version of HTTP that is not spoken here.
    case versionNotSupported
    /// A method that nobody has heard of.
    case methodUnknown
    /// The head, the trailer or chunk extensions are longer, or have more fields, than the limits allow.
    case headersTooLarge
    /// The request's target is longer than the limits allow.
    case targetTooLong
    /// The head did not come in time.
    case headTimeout
    /// The body did not come in time.
    case bodyTimeout

    var response: HTTPResponse {
        switch self {
        case .malformed(let reason):
            .error(.badRequest, code: "bad_request", message: reason)
        case .versionNotSupported:
            .error(
                .httpVersionNotSupported, code: "version_not_supported",
                message: "Only HTTP/1.0 and HTTP/1.1 are spoken here")
        case .methodUnknown:
            .error(.notImplemented, code: "not_implemented", message: "The method is not known here")
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

    /// What the decoder's error means. The request line was well formed as far as it had come.
    init(_ error: HTTPParserError) {
        switch error {
        case .headerOverflow: self = .headersTooLarge
        case .invalidVersion: self = .versionNotSupported
        // The second is a method of RTSP or ICE.
        case .invalidMethod, .invalidConstant: self = .methodUnknown
        case .invalidURL: self = .malformed("The request's target is not valid")
        case .invalidHeaderToken: self = .malformed("A header is not valid")
        case .invalidContentLength, .unexpectedContentLength:
            self = .malformed("The Content-Length is not valid")
        case .invalidChunkSize: self = .malformed("The chunked body is not valid")
        case .invalidEOFState: self = .malformed("The request ended too early")
        default: self = .malformed("This is not a valid HTTP request")
        }
    }
}
