import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// The body of `GET /api/v2/runs/{run}/matrix`.
struct MatrixBody: Sendable {
    /// The content type of the binary form.
    static let type: StaticString = "application/vnd.nnmonitor.matrix"

    let metric: String
    let parts: [SeriesPart]
    let answer: SeriesAnswer
    let lastSeq: UInt64

    /// Writes the JSON form.
    func write(to pieces: inout PieceWriter) async throws {
        appendHead(to: &pieces.json)
        pieces.json.literal(",\"values\":[")
        for (index, part) in parts.enumerated() {
            pieces.json.literal(index > 0 ? ",[" : "[")
            try await eachBlock(of: part) { block in
                for row in block.rows {
                    if row > 0 { pieces.json.byte(UInt8(ascii: ",")) }
                    SeriesEncoder.append(part, row, of: block, to: &pieces.json)
                    try await pieces.sendPiece()
                }
            }
            pieces.json.byte(UInt8(ascii: "]"))
        }
        pieces.json.literal("]}")
        try await pieces.send()
    }

    /// The head of the binary form: its length, and JSON that ends at a multiple of eight bytes.
    func head() -> ByteBuffer {
        var json = JSONWriter()
        appendHead(to: &json)
        json.literal(",\"dtype\":\"<f4\",\"shape\":[")
        SeriesEncoder.append(
            [Int64(parts.count), Int64(answer.layers.count), Int64(answer.bucketCount)], to: &json)
        json.literal("]}")
        while (4 + json.bytes.count) % 8 != 0 { json.byte(UInt8(ascii: " ")) }
        var head = ByteBuffer()
        head.reserveCapacity(4 + json.bytes.count)
        head.writeInteger(UInt32(json.bytes.count), endianness: .little)
        head.writeBytes(json.bytes)
        return head
    }

    /// Writes the binary form.
    ///
    /// - Parameters:
    ///   - head: its head.
    ///   - body: receives it.
    /// - Throws: an error of `body`.
    func write(_ head: ByteBuffer, to body: any BodyWriter) async throws {
        try await body.write(head)
        for part in parts {
            try await eachBlock(of: part) { block in
                let size = MatrixEncoder.size(of: block)
                guard size > 0 else { return }
                var numbers = ByteBuffer()
                // The buffer has the requested size, and the closure writes `size` bytes of it.
                _ = unsafe numbers.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { memory in
                    unsafe MatrixEncoder.write(part, of: block, to: memory)
                    return size
                }
                try await body.write(numbers)
            }
        }
    }

    private func eachBlock(of part: SeriesPart, _ write: (SeriesBlock) async throws -> Void) async throws {
        var row = 0
        while row < answer.rows.count {
            let end = answer.end(ofBlockFrom: row, upTo: answer.rows.count)
            try await write(answer.block(row..<end, part.parts))
            row = end
        }
    }

    /// Writes the object up to its values, without the brace at its end.
    private func appendHead(to json: inout JSONWriter) {
        json.literal("{\"metric\":")
        json.string(metric)
        json.literal(",\"agg\":[")
        for (index, part) in parts.enumerated() {
            if index > 0 { json.byte(UInt8(ascii: ",")) }
            json.string(part.rawValue)
        }
        json.literal("],\"layers\":[")
        for (index, layer) in answer.layers.enumerated() {
            if index > 0 { json.byte(UInt8(ascii: ",")) }
            json.string(layer.id)
        }
        json.literal("],\"steps\":[")
        SeriesEncoder.append(answer.plan.steps[...], to: &json)
        json.literal("],\"last_steps\":[")
        SeriesEncoder.append(answer.plan.lastSteps[...], to: &json)
        json.literal("],\"resolution\":")
        json.integer(answer.plan.resolution)
        json.literal(",\"last_seq\":")
        json.integer(Int64(lastSeq))
    }
}
