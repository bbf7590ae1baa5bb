import Compression
import NIOCore
import NIOHTTP1

/// Compresses answers with gzip. Runs in the request's task, never on an event loop.
struct ResponseCompression: Sendable {
    /// Bodies below it are left as they are.
    let threshold: Int
    let level: Int

    /// `response`, compressed when the client accepts it and it is worth it.
    func apply(to response: HTTPResponse, acceptsGzip: Bool) -> HTTPResponse {
        guard self.isCandidate(response) else { return response }
        var response = response
        // Also when the plain form is sent: another client would get the other.
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
            // The compressed form has other bytes than the one that the handler's tag names.
            response.headers.replaceOrAdd(name: "ETag", value: "W/" + tag)
        }
        return response
    }

    /// Whether an answer takes more than a moment: because it is compressed, or made piece by piece.
    func wouldWork(on response: HTTPResponse, acceptsGzip: Bool) -> Bool {
        if case .stream = response.body { return true }
        return acceptsGzip && self.isCandidate(response)
    }

    private func isCandidate(_ response: HTTPResponse) -> Bool {
        switch response.body {
        case .empty: return false
        case .bytes(let bytes): guard bytes.readableBytes >= self.threshold else { return false }
        case .stream: break
        }
        guard response.status != .partialContent, !response.headers.contains(name: "content-encoding"),
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
            // Without memory for it the plain form is sent.
            return nil
        }
        return output
    }
}

/// Compresses a streamed body on its way.
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

    func finish() async throws {
        try await self.compress(ByteBuffer(), flush: .finish)
    }

    private func compress(_ buffer: ByteBuffer, flush: Deflater.Flush) async throws {
        var output = ByteBuffer()
        try self.deflater.deflate(buffer, into: &output, flush: flush)
        if output.readableBytes > 0 { try await self.downstream.write(output) }
    }
}
