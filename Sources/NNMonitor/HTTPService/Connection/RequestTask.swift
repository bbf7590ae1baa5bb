import NIOCore
import NIOHTTP1

/// The task that runs the handler of a connection's current request.
struct RequestTask {
    /// The maximum body size, in bytes, of a request whose handler may run on the event loop. Larger bodies are parsed
    /// on another thread, so that they do not delay other connections; so are lines, which are many requests in one.
    private static let quickBody = 128 << 10

    private let executor: LoopExecutor
    private var task: Task<Void, Never>?

    init(on loop: any EventLoop) { executor = LoopExecutor(loop) }

    /// Runs a handler and passes its response to the connection.
    mutating func start(_ execution: HandlerExecution, answering link: ConnectionLink, isHead: Bool) {
        execution.finishLines()
        let isQuick = execution.request.lines == nil && execution.request.body.readableBytes <= Self.quickBody
        let configured = execution.server.configuration.handlerExecutor
        let executor = configured ?? (isQuick ? executor : globalConcurrentExecutor)
        task = Task(executorPreference: executor) {
            await execution.run(answering: link, isHead: isHead)
        }
    }

    /// Forgets the task of an answered request.
    mutating func end() { task = nil }

    /// Cancels the task: its client has disconnected.
    mutating func cancel() {
        task?.cancel()
        task = nil
    }
}

/// A request task's reference to its connection. Every operation runs on the connection's event loop.
struct ConnectionLink: BodyWriter {
    let connection: NIOLoopBound<HTTPConnection>
    let loop: any EventLoop
    /// The request's number on the connection.
    let number: UInt64

    func answer(_ response: HTTPResponse) {
        // On the loop, a job never runs inside another connection callback, so the direct call is not re-entrant.
        if loop.inEventLoop { return connection.value.answer(response, of: number) }
        loop.execute { connection.value.answer(response, of: number) }
    }

    func write(_ buffer: ByteBuffer) async throws {
        let promise = loop.makePromise(of: Void.self)
        loop.execute { connection.value.writeStream(buffer, of: number, promise: promise) }
        try await promise.futureResult.get()
    }

    func reserve(_ reservation: ResponseReservation?) async {
        loop.execute { connection.value.reserve(reservation, of: number) }
    }

    /// Ends a streamed body.
    func endStream() {
        loop.execute { connection.value.endStream(of: number) }
    }

    /// Aborts a streamed body.
    func abortStream() {
        loop.execute { connection.value.abortStream(of: number) }
    }
}

/// Runs a handler and sends its response.
///
/// The handler of a small request runs on the connection's event loop, so that a fast response needs no thread switch.
/// Compression and streaming run on another executor.
struct HandlerExecution: Sendable {
    let handler: Route.Handler
    let request: HTTPRequest
    /// The body's entry in `BodyBudget`, which ends when the handler has returned.
    let place: UInt64?
    let acceptsGzip: Bool
    let server: HTTPServer

    /// Ends a body of lines, which the request has received while it arrived.
    func finishLines() { request.lines?.finish(budget: server.bodies, place: place) }

    func run(answering link: ConnectionLink, isHead: Bool) async {
        let response = await response()
        if let place { server.bodies.end(place) }
        guard server.compression.isExpensive(response, acceptsGzip: acceptsGzip) else {
            return link.answer(server.compression.apply(to: response, acceptsGzip: acceptsGzip))
        }
        await withTaskExecutorPreference(server.configuration.handlerExecutor ?? globalConcurrentExecutor) {
            await work(on: response, answering: link, isHead: isHead)
        }
    }

    private func work(on response: HTTPResponse, answering link: ConnectionLink, isHead: Bool) async {
        let response = server.compression.apply(to: response, acceptsGzip: acceptsGzip)
        link.answer(response)
        guard case .stream(let produce) = response.body, !isHead, response.status.mayHaveResponseBody else { return }
        do {
            try await produce(GrantedWriter(access: request.access, writer: link))
            link.endStream()
        } catch {
            if !Task.isCancelled, error as? HTTPServiceError != .connectionClosed {
                server.log.failed(error, request: request)
            }
            link.abortStream()
        }
    }

    /// Not inlined: its space is free again when the response is sent.
    @inline(never)
    private func response() async -> HTTPResponse {
        do {
            return try await handler(request)
        } catch {
            return response(to: error)
        }
    }

    /// Not inlined: a request's task would reserve space for its variables.
    @inline(never)
    private func response(to error: any Error) -> HTTPResponse {
        if let error = error as? HTTPError { return error.response }
        if !Task.isCancelled { server.log.failed(error, request: request) }
        return .internalError
    }
}

/// Aborts a streamed response when the request's grant ends: a response may take hours to send.
private struct GrantedWriter: BodyWriter {
    let access: AccessGrant?
    let writer: any BodyWriter

    func write(_ buffer: ByteBuffer) async throws {
        guard access?.isValid != false else { throw HTTPServiceError.connectionClosed }
        try await writer.write(buffer)
    }

    func reserve(_ reservation: ResponseReservation?) async { await writer.reserve(reservation) }
}
