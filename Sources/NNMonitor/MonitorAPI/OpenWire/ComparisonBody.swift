import Foundations
import HTTPService
import MonitorCore
import NIOCore

/// The body of `GET /api/v2/compare`.
struct ComparisonBody: Sendable {
    let a: RunSnapshot
    let b: RunSnapshot
    let metric: String
    let factor: Double
    let comparison: RunComparison
    let configs: (a: RunConfig, b: RunConfig)

    /// The number of layers whose ratios are computed at once.
    private var blockRows: Int { max(1, SeriesAnswer.blockSize / max(1, comparison.bucketCount)) }

    /// Bytes of the arrays and of the ratios that are computed at once.
    var memory: Int {
        comparison.memory + min(blockRows, comparison.layers.count) * comparison.bucketCount
            * MemoryLayout<Double>.stride
    }

    /// Writes the body.
    func write(to pieces: inout PieceWriter) async throws {
        pieces.json.literal("{\"a\":")
        pieces.json.string(a.id.text)
        pieces.json.literal(",\"b\":")
        pieces.json.string(b.id.text)
        pieces.json.literal(",\"metric\":")
        pieces.json.string(metric)
        pieces.json.literal(",\"factor\":")
        pieces.json.double(factor)
        pieces.json.literal(",\"steps\":[")
        SeriesEncoder.append(comparison.steps[...], to: &pieces.json)
        pieces.json.literal("],\"last_steps\":[")
        SeriesEncoder.append(comparison.lastSteps[...], to: &pieces.json)
        pieces.json.literal("],\"layers\":[")
        try await writeLayers(to: &pieces)
        pieces.json.literal("],\"only_a\":[")
        try await writeIDs(comparison.onlyA, to: &pieces)
        pieces.json.literal("],\"only_b\":[")
        try await writeIDs(comparison.onlyB, to: &pieces)
        pieces.json.literal("],\"config\":")
        RunConfig.appendDifferences(configs.a, configs.b, to: &pieces.json)
        // `seq` counts the steps of each run by itself. A client that applies only live steps above the lesser number
        // misses none of either run.
        pieces.json.literal(",\"last_seq\":")
        pieces.json.integer(Int64(min(a.lastSeq, b.lastSeq)))
        pieces.json.literal(",\"last_seqs\":{\"a\":")
        pieces.json.integer(Int64(a.lastSeq))
        pieces.json.literal(",\"b\":")
        pieces.json.integer(Int64(b.lastSeq))
        pieces.json.literal("}}")
        try await pieces.send()
    }

    private func writeLayers(to pieces: inout PieceWriter) async throws {
        let count = comparison.bucketCount
        var start = 0
        while start < comparison.layers.count {
            let end = min(start + blockRows, comparison.layers.count)
            let ratios = comparison.ratios(start..<end)
            for index in start..<end {
                let layer = comparison.layers[index]
                pieces.json.literal(index > 0 ? ",{\"id\":" : "{\"id\":")
                pieces.json.string(layer.id)
                pieces.json.literal(",\"depth\":")
                pieces.json.integer(layer.depth)
                pieces.json.literal(",\"ratio\":[")
                pieces.json.optionalDoubles(ratios[(index - start) * count..<(index - start + 1) * count])
                pieces.json.literal("],\"first_divergence\":")
                if let step = layer.firstDivergence { pieces.json.integer(step) } else { pieces.json.literal("null") }
                pieces.json.byte(UInt8(ascii: "}"))
                try await pieces.sendPiece()
            }
            start = end
        }
    }

    private func writeIDs(_ ids: [[UInt8]], to pieces: inout PieceWriter) async throws {
        for (index, id) in ids.enumerated() {
            if index > 0 { pieces.json.byte(UInt8(ascii: ",")) }
            pieces.json.string(id)
            try await pieces.sendPiece()
        }
    }
}
