import Foundations
import HTTPService
import MonitorCore
import NIOCore
import NIOHTTP1

/// The body of `GET /api/v2/runs/{run}/series`.
struct SeriesBody: Sendable {
    let answer: SeriesAnswer
    let lastSeq: UInt64

    /// Writes the body.
    func write(to pieces: inout PieceWriter) async throws {
        try await pieces.appendBounds(answer.plan, after: "{")
        pieces.json.literal(",\"scalars\":{")
        var block = SeriesBlock()
        for row in answer.scalars {
            if row > answer.scalars.lowerBound { pieces.json.byte(UInt8(ascii: ",")) }
            try await write(row, upTo: answer.scalars.upperBound, &block, to: &pieces)
        }
        pieces.json.literal("},\"layers\":{")
        for (index, layer) in answer.layers.enumerated() {
            if index > 0 { pieces.json.byte(UInt8(ascii: ",")) }
            pieces.json.string(layer.id)
            pieces.json.literal(":{")
            for row in layer.rows {
                if row > layer.rows.lowerBound { pieces.json.byte(UInt8(ascii: ",")) }
                try await write(row, upTo: answer.scalars.lowerBound, &block, to: &pieces)
            }
            pieces.json.byte(UInt8(ascii: "}"))
        }
        pieces.json.literal("},\"resolution\":")
        pieces.json.integer(answer.plan.resolution)
        pieces.json.literal(",\"last_seq\":")
        pieces.json.integer(Int64(lastSeq))
        pieces.json.byte(UInt8(ascii: "}"))
        try await pieces.send()
    }

    /// Writes one series, from the block if it has the series, otherwise from the next block.
    private func write(
        _ row: Int, upTo end: Int, _ block: inout SeriesBlock, to pieces: inout PieceWriter
    ) async throws {
        if !block.rows.contains(row) {
            answer.read(row..<answer.end(ofBlockFrom: row, upTo: end), .all, into: &block)
        }
        pieces.json.string(answer.rows[row].name.text)
        pieces.json.literal(":{\"min\":")
        SeriesEncoder.append(.min, row, of: block, to: &pieces.json)
        try await pieces.sendPiece()
        pieces.json.literal(",\"max\":")
        SeriesEncoder.append(.max, row, of: block, to: &pieces.json)
        try await pieces.sendPiece()
        pieces.json.literal(",\"last\":")
        SeriesEncoder.append(.last, row, of: block, to: &pieces.json)
        try await pieces.sendPiece()
        pieces.json.literal(",\"nonfinite\":")
        SeriesEncoder.append(.nonfinite, row, of: block, isCounted: true, to: &pieces.json)
        pieces.json.byte(UInt8(ascii: "}"))
        try await pieces.sendPiece()
    }
}

extension PieceWriter {
    /// Writes `"steps":[…],"last_steps":[…]`.
    mutating func appendBounds(_ plan: SeriesPlan, after text: StaticString) async throws {
        json.literal(text)
        json.literal("\"steps\":[")
        SeriesEncoder.append(plan.steps[...], to: &json)
        try await sendPiece()
        json.literal("],\"last_steps\":[")
        SeriesEncoder.append(plan.lastSteps[...], to: &json)
        json.byte(UInt8(ascii: "]"))
        try await sendPiece()
    }
}
