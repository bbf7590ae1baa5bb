package import NIOCore
package import NIOHTTP1

/// What a handler answers. Framing, `Date`, security and CORS headers are added when it is written.
package struct HTTPResponse: Sendable {
    package var status: HTTPResponseStatus
    package var headers: HTTPHeaders
    package var body: ResponseBody

    package init(status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ResponseBody = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// The body of an answer.
package enum ResponseBody: Sendable {
    case empty
    /// A body whose length is known; sent with `Content-Length`.
    case bytes(ByteBuffer)
    /// A body made while it is sent; chunked, or ended by closing for an HTTP/1.0 client. An error thrown by the
    /// closure after the head has gone out aborts the connection, so that the client can tell.
    case stream(@Sendable (any BodyWriter) async throws -> Void)
}

/// Takes the pieces of a streamed body, one write at a time.
package protocol BodyWriter: Sendable {
    /// Returns once the connection can take more: the stream's back-pressure.
    /// - Parameter buffer: The next piece.
    /// - Throws: `HTTPServiceError.connectionClosed` once the client is gone.
    func write(_ buffer: ByteBuffer) async throws
}

/// Thrown by a handler to answer with `response`.
package struct HTTPError: Error, Sendable {
    package var response: HTTPResponse

    package init(_ response: HTTPResponse) {
        self.response = response
    }

    package init(_ status: HTTPResponseStatus, code: String, message: String) {
        self.response = .error(status, code: code, message: message)
    }
}

extension HTTPResponse {
    /// A JSON answer; the bytes are sent as they are.
    package static func json(_ body: ByteBuffer, status: HTTPResponseStatus = .ok) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(body))
    }

    package static func json(_ text: String, status: HTTPResponseStatus = .ok) -> HTTPResponse {
        .json(ByteBuffer(string: text), status: status)
    }

    /// A plain-text answer.
    package static func text(_ text: String, status: HTTPResponseStatus = .ok) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .bytes(ByteBuffer(string: text)))
    }

    /// Sends the client to `location`, which must be a path of this server or an absolute URI.
    package static func redirect(to location: String, status: HTTPResponseStatus = .seeOther) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Location": location, "Cache-Control": "no-store"])
    }

    /// The contract's error body: `{"detail":{"error":CODE,"message":MESSAGE}}`.
    package static func error(_ status: HTTPResponseStatus, code: String, message: String) -> HTTPResponse {
        .json(
            "{\"detail\":{\"error\":\(JSONText.quoted(code)),\"message\":\(JSONText.quoted(message))}}",
            status: status)
    }

    /// The error body of requests that no route takes: `{"detail":TEXT}`.
    package static func detail(_ status: HTTPResponseStatus, _ text: String) -> HTTPResponse {
        .json("{\"detail\":\(JSONText.quoted(text))}", status: status)
    }

    /// For failures of the server's own, of which the client learns nothing more.
    static var internalError: HTTPResponse {
        .error(.internalServerError, code: "internal_error", message: "The server failed to answer this request")
    }
}

extension HTTPHeaders {
    /// The name of the first field that must not be written: its name is empty or its value has a control character
    /// besides tab. With a CR and LF from a request in it there would be two answers where there is to be one.
    var nameOfUnwritable: String? {
        self.first { name, value in
            name.isEmpty || !name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
                || !value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == UInt8(ascii: "\t") }
        }?.name
    }
}
