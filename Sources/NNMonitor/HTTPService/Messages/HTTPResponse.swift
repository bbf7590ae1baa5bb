package import NIOCore
package import NIOHTTP1

/// A handler's response. Framing, `Date`, security and CORS headers are added when it is written.
package struct HTTPResponse: Sendable {
    /// The status code and reason phrase.
    package var status: HTTPResponseStatus
    /// The handler's header fields. `Content-Length` and `Transfer-Encoding` are ignored.
    package var headers: HTTPHeaders
    /// The response body, not compressed unless `headers` has `Content-Encoding`.
    package var body: ResponseBody
    /// The memory of the response, reserved until it is sent.
    package var reservation: ResponseReservation?
    /// How long the client may accept no byte, or its host acknowledge none; nil for `HTTPConfiguration.writeTimeout`
    /// and the system's own timeout. For streams that are idle most of the time: few unsent bytes show no stall.
    package var stallTimeout: TimeAmount?
    /// Called on the connection's event loop while a streamed body is produced.
    package var onConnectionEvent: (@Sendable (ConnectionEvent) -> Void)?

    /// Creates a response, without a body by default.
    package init(status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ResponseBody = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// The body of a response.
package enum ResponseBody: Sendable {
    /// No body.
    case empty
    /// A body of known length, sent with `Content-Length`.
    case bytes(ByteBuffer)
    /// A body produced while it is sent: chunked, or ended by closing the connection for HTTP/1.0. If the closure
    /// throws after the head was sent, the connection is aborted, so that the client detects the truncation.
    case stream(@Sendable (any BodyWriter) async throws -> Void)
}

/// An event that the producer of a streamed body may act on.
package enum ConnectionEvent: Sendable {
    /// The client has closed its sending side. It may still read, or be gone: the next write shows it.
    case inputClosed
    /// The server is stopping and waits for the response to end.
    case stopping
}

/// The destination of a streamed body. Only one write may run at a time.
package protocol BodyWriter: Sendable {
    /// Writes one piece and returns when the connection is writable again, which is the stream's back-pressure.
    ///
    /// - Parameter buffer: the next piece.
    /// - Throws: `HTTPServiceError.connectionClosed` if the client has disconnected.
    func write(_ buffer: ByteBuffer) async throws

    /// Replaces the memory of the response. The reservation before it is kept until all earlier pieces are sent.
    ///
    /// - Parameter reservation: what later pieces need; nil if it is too little to be reserved.
    func reserve(_ reservation: ResponseReservation?) async
}

/// An error that a handler throws to send `response`.
package struct HTTPError: Error, Sendable {
    /// The response to send.
    package var response: HTTPResponse

    /// Creates an error that sends `response`.
    package init(_ response: HTTPResponse) {
        self.response = response
    }

    /// Creates an error that sends the error body of `HTTPResponse.error(_:code:message:)`.
    package init(_ status: HTTPResponseStatus, code: String, message: String) {
        self.response = .error(status, code: code, message: message)
    }
}

extension HTTPResponse {
    /// A JSON response with `body`, which is not validated.
    package static func json(_ body: ByteBuffer, status: HTTPResponseStatus = .ok) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(body))
    }

    /// A JSON response with the UTF-8 of `text`, which is not validated.
    package static func json(_ text: String, status: HTTPResponseStatus = .ok) -> HTTPResponse {
        .json(ByteBuffer(string: text), status: status)
    }

    /// A plain-text response in UTF-8.
    package static func text(_ text: String, status: HTTPResponseStatus = .ok) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .bytes(ByteBuffer(string: text)))
    }

    /// A redirect to `location`. For a path on this server use `RelativeReference`, so that the redirect also works
    /// behind a proxy that strips a prefix.
    package static func redirect(to location: String, status: HTTPResponseStatus = .seeOther) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Location": location, "Cache-Control": "no-store"])
    }

    /// A response with the error body of API.md: `{"detail":{"error":CODE,"message":MESSAGE}}`.
    package static func error(_ status: HTTPResponseStatus, code: String, message: String) -> HTTPResponse {
        .json(
            "{\"detail\":{\"error\":\(JSONText.quoted(code)),\"message\":\(JSONText.quoted(message))}}",
            status: status)
    }

    /// A response with the error body of requests without a route: `{"detail":TEXT}`.
    package static func detail(_ status: HTTPResponseStatus, _ text: String) -> HTTPResponse {
        .json("{\"detail\":\(JSONText.quoted(text))}", status: status)
    }

    /// The response to an internal failure. It reveals no details.
    static var internalError: HTTPResponse {
        .error(.internalServerError, code: "internal_error", message: "The server failed to answer this request")
    }
}

extension HTTPHeaders {
    /// The name of the first field that must not be written; nil if there is none. A field name must be visible ASCII
    /// without colons, and a value must contain no control character except tab: CR and LF copied from a request could
    /// otherwise start a second response (response splitting).
    var nameOfUnwritable: String? {
        self.first { name, value in
            name.isEmpty || !name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
                || !value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == UInt8(ascii: "\t") }
        }?.name
    }
}
