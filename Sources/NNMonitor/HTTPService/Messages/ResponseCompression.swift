import Compression
import NIOCore
import NIOHTTP1

/// Compresses responses with gzip. Runs in the request's task, never on an event loop.
struct ResponseCompression: Sendable {
    /// The minimum size of a body to compress, in bytes.
    let threshold: Int
    let level: Int

    /// Compresses `response` if the client accepts gzip and the response's type, size and fields allow it. A body of
    /// known length stays uncompressed if compression does not make it smaller.
    func apply(to response: HTTPResponse, acceptsGzip: Bool) -> HTTPResponse {
        guard self.isCandidate(response) else { return response }
        var response = response
        // `Vary` is also needed on the uncompressed form: other clients get the compressed one.
        response.headers.add(name: "Vary", value: "Accept-Encoding")
        guard acceptsGzip else { return response }
        switch response.body {
        case .empty:
            return response
        case .bytes(let bytes):
            guard let compressed = self.gzip(bytes), compressed.readableBytes < bytes.readableBytes else {
                return response
            }
            response.body = .bytes(compressed)
        case .stream(let produce):
            let level = self.level
            response.body = .stream { writer in
                let compressing = try GzipBodyWriter(writer, level: level)
                try await produce(compressing)
                try await compressing.finish()
            }
        }
        response.headers.add(name: "Content-Encoding", value: "gzip")
        if let tag = response.headers.first(name: "etag"), !tag.hasPrefix("W/") {
            // The handler's strong tag identifies the uncompressed bytes, so it becomes weak.
            response.headers.replaceOrAdd(name: "ETag", value: "W/" + tag)
        }
        return response
    }

    /// Whether producing the response takes significant time, because the body is compressed or streamed.
    func isExpensive(_ response: HTTPResponse, acceptsGzip: Bool) -> Bool {
        if case .stream = response.body { return true }
        return acceptsGzip && self.isCandidate(response)
    }

    private func isCandidate(_ response: HTTPResponse) -> Bool {
        switch response.body {
        case .empty: return false
        case .bytes(let bytes): guard bytes.readableBytes >= self.threshold else { return false }
        case .stream: break
        }
        guard !response.headers.contains(name: "content-encoding"),
            let type = response.headers.first(name: "content-type"), MediaType.isCompressible(type)
        else { return false }
        return !response.headers[canonicalForm: "cache-control"].contains { $0.lowercased() == "no-transform" }
    }

    private func gzip(_ bytes: ByteBuffer) -> ByteBuffer? {
        var output = ByteBuffer()
        output.reserveCapacity(bytes.readableBytes / 4)
        do {
            var deflater = try Deflater(format: .gzip, level: self.level)
            try deflater.deflate(bytes, into: &output, flush: .finish)
        } catch {
            // zlib ran out of memory: send the body uncompressed.
            return nil
        }
        return output
    }
}

/// Compresses a streamed body.
actor GzipBodyWriter: BodyWriter {
    private let downstream: any BodyWriter
    private var deflater: Deflater

    init(_ downstream: any BodyWriter, level: Int) throws(CompressionError) {
        self.downstream = downstream
        self.deflater = try Deflater(format: .gzip, level: level)
    }

    func write(_ buffer: ByteBuffer) async throws {
        try await self.compress(buffer, flush: .none)
    }

    func reserve(_ reservation: ResponseReservation?) async { await self.downstream.reserve(reservation) }

    func finish() async throws {
        try await self.compress(ByteBuffer(), flush: .finish)
    }

    private func compress(_ buffer: ByteBuffer, flush: Deflater.Flush) async throws {
        var output = ByteBuffer()
        try self.deflater.deflate(buffer, into: &output, flush: flush)
        if output.readableBytes > 0 { try await self.downstream.write(output) }
    }
}
