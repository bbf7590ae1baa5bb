import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// The maximum body size, in bytes, of a request whose handler may run on the event loop. Larger bodies are parsed
    /// on another thread, so that they do not delay other connections.
    private static let quickBody = 128 << 10

    /// Runs the route of a complete request. Ends the body's budget entry `place` when the handler has returned.
    func execute(body: ByteBuffer, place: UInt64?, context: ChannelHandlerContext) {
        guard var admitted = self.admitted, let exchange = self.exchange else {
            if let place { self.server.bodies.end(place) }
            return
        }
        self.admitted = nil
        // The grant may have ended while the body was arriving.
        if let refusal = admitted.request.access?.refusal { return self.answer(refusal) }
        admitted.request.body = body
        switch admitted.route.action {
        case .upgrade(let upgrader):
            if let place { self.server.bodies.end(place) }
            self.decideUpgrade(admitted.request, by: upgrader, context: context)
        case .handle(_, let handler):
            let execution = HandlerExecution(
                handler: handler, request: admitted.request, place: place, acceptsGzip: exchange.acceptsGzip,
                server: self.server)
            let link = ConnectionLink(
                connection: NIOLoopBound(self, eventLoop: context.eventLoop), loop: context.eventLoop,
                number: exchange.number)
            let isHead = exchange.isHead
            let quick: (any TaskExecutor)? = body.readableBytes <= Self.quickBody ? self.executor : nil
            let executor = self.server.configuration.handlerExecutor ?? quick ?? globalConcurrentExecutor
            self.task = Task(executorPreference: executor) {
                await execution.run(answering: link, isHead: isHead)
            }
        }
    }

    /// Sends the response of a request's task, unless the request was abandoned.
    func answer(_ response: HTTPResponse, of number: UInt64) {
        guard self.exchange?.number == number else { return }
        self.answer(response)
    }
}

/// A request task's reference to its connection. Every operation runs on the connection's event loop.
struct ConnectionLink: BodyWriter {
    let connection: NIOLoopBound<HTTPConnection>
    let loop: any EventLoop
    let number: UInt64

    func answer(_ response: HTTPResponse) {
        // On the loop, a job never runs inside another connection callback, so the direct call is not re-entrant.
        if self.loop.inEventLoop { return self.connection.value.answer(response, of: self.number) }
        self.loop.execute { self.connection.value.answer(response, of: self.number) }
    }

    func write(_ buffer: ByteBuffer) async throws {
        let promise = self.loop.makePromise(of: Void.self)
        self.loop.execute { self.connection.value.writeStream(buffer, of: self.number, promise: promise) }
        try await promise.futureResult.get()
    }

    func endStream() {
        self.loop.execute { self.connection.value.endStream(of: self.number) }
    }

    func abortStream() {
        self.loop.execute { self.connection.value.abortStream(of: self.number) }
    }
}

/// Runs a handler and sends its response.
///
/// The handler of a small request runs on the connection's event loop, so that a fast response needs no thread switch.
/// Compression and streaming run on another executor.
struct HandlerExecution: Sendable {
    let handler: Route.Handler
    let request: HTTPRequest
    /// The body's entry in `BodyBudget`.
    let place: UInt64?
    let acceptsGzip: Bool
    let server: HTTPServer

    func run(answering link: ConnectionLink, isHead: Bool) async {
        let response = await self.response()
        if let place = self.place { self.server.bodies.end(place) }
        guard self.server.compression.wouldWork(on: response, acceptsGzip: self.acceptsGzip) else {
            return link.answer(self.server.compression.apply(to: response, acceptsGzip: self.acceptsGzip))
        }
        await withTaskExecutorPreference(self.server.configuration.handlerExecutor ?? globalConcurrentExecutor) {
            await self.work(on: response, answering: link, isHead: isHead)
        }
    }

    private func work(on response: HTTPResponse, answering link: ConnectionLink, isHead: Bool) async {
        let response = self.server.compression.apply(to: response, acceptsGzip: self.acceptsGzip)
        link.answer(response)
        guard case .stream(let produce) = response.body, !isHead, response.status.mayHaveResponseBody else { return }
        do {
            try await produce(GrantedWriter(access: self.request.access, writer: link))
            link.endStream()
        } catch {
            if !Task.isCancelled, error as? HTTPServiceError != .connectionClosed {
                self.server.log.failed(error, request: self.request)
            }
            link.abortStream()
        }
    }

    private func response() async -> HTTPResponse {
        do {
            return try await self.handler(self.request)
        } catch let error as HTTPError {
            return error.response
        } catch {
            if !Task.isCancelled { self.server.log.failed(error, request: self.request) }
            return .internalError
        }
    }
}

/// Aborts a streamed response when the request's grant ends: a response may take hours to send.
private struct GrantedWriter: BodyWriter {
    let access: AccessGrant?
    let writer: any BodyWriter

    func write(_ buffer: ByteBuffer) async throws {
        guard self.access?.isValid != false else { throw HTTPServiceError.connectionClosed }
        try await self.writer.write(buffer)
    }
}
