import NIOCore
import NIOHTTP1

/// How a response is sent to a request: its framing, and the bytes of its body.
struct ResponseFraming {
    let framing: ResponseDecoration.Framing
    /// The body, if it is complete and sent.
    let body: ByteBuffer?
    /// Whether a handler produces the body while it is sent.
    let isStream: Bool

    /// - Parameters:
    ///   - response: the response.
    ///   - exchange: the request.
    init(_ response: HTTPResponse, to exchange: Exchange) {
        let mayHaveBody = response.status.mayHaveResponseBody
        var framing = ResponseDecoration.Framing.none
        var body: ByteBuffer?
        var isStream = false
        switch response.body {
        case .empty:
            if mayHaveBody { framing = .length(0) }
        case .bytes(let bytes):
            if mayHaveBody {
                framing = .length(bytes.readableBytes)
                body = exchange.isHead ? nil : bytes
            }
        case .stream:
            // A response to HEAD omits framing fields if the length is unknown (RFC 9110 section 9.3.2).
            isStream = mayHaveBody && !exchange.isHead
            if isStream, !exchange.isHTTP10 { framing = .chunked }
        }
        self.framing = framing
        self.body = body
        self.isStream = isStream
    }

    var isChunked: Bool {
        if case .chunked = framing { true } else { false }
    }

    /// Whether only the end of the connection marks the end of the body.
    var endsWithConnection: Bool { isStream && !isChunked }
}
