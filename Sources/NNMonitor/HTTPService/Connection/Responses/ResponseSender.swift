import NIOCore
import NIOHTTP1

/// Sends the responses of one connection: heads, and bodies in the framing that the request's version permits.
final class ResponseSender {
    /// The maximum size of a body that is copied into the buffer of its head, in bytes.
    private static let smallBody = 4096

    private let server: HTTPServer
    private let secure: Bool
    private let context: ChannelHandlerContext
    let writer: ResponseWriter
    /// Whether the streamed response that is being written uses the chunked coding; nil if there is none.
    private var streamIsChunked: Bool?

    /// - Parameters:
    ///   - server: decorates the heads.
    ///   - secure: whether the connection is TLS.
    ///   - context: the context of the connection's handler.
    ///   - writer: the connection's writer.
    init(server: HTTPServer, secure: Bool, context: ChannelHandlerContext, writer: ResponseWriter) {
        self.server = server
        self.secure = secure
        self.context = context
        self.writer = writer
    }

    /// Whether a streamed response is being written.
    var isStreaming: Bool { streamIsChunked != nil }

    /// Sends `100 Continue`.
    func sendContinue() {
        writer.write(.continueResponse)
        writer.flush()
    }

    /// Sends `101 Switching Protocols`.
    func sendSwitchingProtocols(headers: HTTPHeaders, to exchange: Exchange) {
        writer.beginResponse()
        writeHead(
            HTTPResponse(status: .switchingProtocols, headers: headers), to: exchange, framing: .none, connection: nil)
        writer.flush()
    }

    /// Writes the head of a response and, unless it is streamed, the body.
    ///
    /// - Parameters:
    ///   - response: the response.
    ///   - framing: its framing.
    ///   - exchange: the request.
    ///   - isPersistent: whether the connection stays open after it.
    /// - Returns: whether the response is written to its end. If not, the end of its stream or the writer's
    ///   `bodyWritten` follows.
    func begin(
        _ response: HTTPResponse, framing: ResponseFraming, to exchange: Exchange, isPersistent: Bool
    ) -> Bool {
        let small = framing.body.flatMap { $0.readableBytes <= Self.smallBody ? $0 : nil }
        writer.beginResponse(response.reservation, stallTimeout: response.stallTimeout)
        writeHead(
            response, to: exchange, framing: framing.framing,
            connection: isPersistent ? (exchange.isHTTP10 ? "keep-alive" : nil) : "close", body: small)
        if framing.isStream {
            streamIsChunked = framing.isChunked
            writer.flush()
            return false
        }
        guard let body = framing.body, small == nil else { return true }
        return writer.write(body: body)
    }

    /// Writes a head and a small body in one buffer.
    private func writeHead(
        _ response: HTTPResponse, to exchange: Exchange, framing: ResponseDecoration.Framing,
        connection: StaticString?, body: ByteBuffer? = nil
    ) {
        var bytes = context.channel.allocator.buffer(capacity: 1024 + (body?.readableBytes ?? 0))
        server.decoration.write(
            response,
            ResponseDecoration.ResponseContext(
                framing: framing, date: server.date.now, origin: exchange.origin, host: exchange.host, secure: secure,
                connection: connection),
            to: &bytes)
        if let body { bytes.writeImmutableBuffer(body) }
        writer.write(bytes, bodyBytes: body?.readableBytes ?? 0)
    }

    /// Writes the next piece of a streamed body. `promise` succeeds when the channel is writable.
    func writeStream(_ buffer: ByteBuffer, promise: EventLoopPromise<Void>) {
        guard let streamIsChunked, context.channel.isActive else {
            return promise.fail(HTTPServiceError.connectionClosed)
        }
        if buffer.readableBytes > 0 {
            if streamIsChunked {
                var size = context.channel.allocator.buffer(capacity: 18)
                size.writeChunkSize(buffer.readableBytes)
                writer.write(size)
            }
            writer.write(buffer, bodyBytes: buffer.readableBytes)
            if streamIsChunked { writer.write(.chunkEnd) }
            writer.flush()
        }
        writer.whenWritable(promise)
    }

    /// Ends a response. After the last one of the connection, the writer calls `allSent`.
    func end(isLast: Bool) {
        let end = streamIsChunked == true ? ByteBuffer.lastChunk : ByteBuffer()
        streamIsChunked = nil
        if isLast {
            writer.notifyWhenSent(last: end)
        } else {
            if end.readableBytes > 0 { writer.write(end) }
            writer.flush()
        }
        writer.endResponse()
    }

    /// Ends all output: the connection is lost or changes its protocol.
    func abandon() {
        streamIsChunked = nil
        writer.end()
    }
}

@available(*, unavailable)
extension ResponseSender: Sendable {}
