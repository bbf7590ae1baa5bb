import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// A bucket of steps, and the last vector in it.
struct VectorBucket: Sendable {
    /// The lowest step in the bucket.
    let first: Int64
    /// The highest step in the bucket.
    var last: Int64
    /// The step with the vector, and its index there; `nil` if no step in the bucket has one.
    var vector: (record: StepRecord, index: Int)?
}

/// Collects the last vector of each bucket of steps.
struct VectorBuckets {
    private let name: ByteString
    private let layer: [UInt8]
    private let shift: Int
    private(set) var buckets: [VectorBucket] = []

    /// - Parameters:
    ///   - name: the vector's name.
    ///   - layer: the layer's id, as served.
    ///   - shift: steps with equal `step >> shift` share a bucket.
    init(name: ByteString, layer: [UInt8], shift: Int) {
        self.name = name
        self.layer = layer
        self.shift = shift
    }

    /// Adds a step with a higher number than all before.
    mutating func note(_ record: StepRecord) {
        if let bucket = buckets.last, bucket.first >> shift == record.step >> shift {
            buckets[buckets.count - 1].last = record.step
        } else {
            buckets.append(VectorBucket(first: record.step, last: record.step))
        }
        let layout = record.columns.layout
        let index = (0..<layout.vectorCount).first {
            layout.vectorLayer($0).elementsEqual(layer) && layout.vectorName($0).elementsEqual(name.text.utf8)
        }
        if let index { buckets[buckets.count - 1].vector = (record, index) }
    }
}

/// The body of `GET /api/v2/runs/{run}/vectors`.
struct VectorBody: Sendable {
    private let buckets: [VectorBucket]
    private let name: ByteString
    private let layer: [UInt8]
    private let lastSeq: UInt64
    init(_ buckets: [VectorBucket], name: ByteString, layer: [UInt8], lastSeq: UInt64) {
        self.buckets = buckets
        self.name = name
        self.layer = layer
        self.lastSeq = lastSeq
    }

    /// The response.
    ///
    /// - Parameters:
    ///   - snapshot: the run of the steps.
    ///   - request: the request.
    ///   - monitor: has the memory of answers.
    /// - Returns: the response.
    /// - Throws: `HTTPError` with 503 if there is no memory for it.
    func response(_ snapshot: RunSnapshot, _ request: HTTPRequest, _ monitor: Monitor) throws -> HTTPResponse {
        let chunk = streamPieceSize + buckets.count * (2 * 21 + MemoryLayout<VectorBucket>.stride)
        let reservation = try monitor.answers.reserve(
            AnswerMemory.history(
                snapshot: snapshot.memory, chunk: chunk, isCompressed: request.acceptsGzip, isSecure: request.secure),
            access: request.access, peer: request.peer, retained: snapshot.retained)
        var response = HTTPResponse(
            status: .ok, headers: ["Content-Type": "application/json"], body: .stream { try await write(to: $0) })
        response.reservation = reservation
        return response
    }

    /// Writes the body in pieces, as fast as the connection takes them.
    private func write(to body: any BodyWriter) async throws {
        var writer = JSONWriter()
        writer.literal("{\"name\":")
        writer.string(name.text)
        writer.literal(",\"layer\":")
        writer.string(layer)
        writer.literal(",\"steps\":[")
        appendSteps(\.first, to: &writer)
        writer.literal("],\"last_steps\":[")
        appendSteps(\.last, to: &writer)
        writer.literal("],\"values\":[")
        for (index, bucket) in buckets.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            if let vector = bucket.vector {
                writer.byte(UInt8(ascii: "["))
                writer.optionalDoubles(vector.record.vectors[vector.index])
                writer.byte(UInt8(ascii: "]"))
            } else {
                writer.literal("null")
            }
            if writer.bytes.count >= streamPieceSize {
                try await body.write(ByteBuffer(bytes: writer.bytes))
                writer.removeAll()
            }
        }
        // Vectors live as long as their step is kept whole, so each bucket is made of whole steps.
        writer.literal("],\"resolution\":1,\"last_seq\":")
        writer.integer(Int64(lastSeq))
        writer.byte(UInt8(ascii: "}"))
        try await body.write(ByteBuffer(bytes: writer.bytes))
    }

    private func appendSteps(_ step: KeyPath<VectorBucket, Int64>, to writer: inout JSONWriter) {
        for (index, bucket) in buckets.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.integer(bucket[keyPath: step])
        }
    }
}
