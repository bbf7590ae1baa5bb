import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

extension Monitor {
    /// Encodes a short body on the current executor, which may be an event loop, and a long one on the global executor.
    ///
    /// - Parameters:
    ///   - size: the approximate size of the body, in bytes.
    ///   - request: the request, whose client the memory of the body is reserved for.
    ///   - status: the status of the response.
    ///   - encode: writes the body.
    /// - Returns: the response.
    /// - Throws: `HTTPError` with 503 if there is no memory for the body.
    func encoded(
        size: Int, _ request: HTTPRequest, status: HTTPResponseStatus = .ok,
        _ encode: @escaping @Sendable (inout JSONWriter) -> Void
    ) async throws -> HTTPResponse {
        let reservation = try answers.reserve(AnswerMemory.whole(size), access: request.access, peer: request.peer)
        let work = { @Sendable in
            var writer = JSONWriter(capacity: size)
            encode(&writer)
            return ByteBuffer(bytes: writer.bytes)
        }
        let body: ByteBuffer
        if size <= 64 << 10 {
            body = work()
        } else {
            body = await withTaskExecutorPreference(globalConcurrentExecutor) { work() }
        }
        guard reservation.grow(to: AnswerMemory.whole(body.readableBytes)) else { throw ResponseBudget.busy }
        var response = HTTPResponse.json(body, status: status)
        response.reservation = reservation
        return response
    }
}
