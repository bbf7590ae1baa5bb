import Foundations
import MonitorCore

@testable import Health

/// Random numbers that are the same each time.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Whether something with this probability happens.
    mutating func happens(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
}

/// A run with all that a rule can meet: missing values, NaN, infinities, zeros, values that stay or leap, late steps,
/// layers that come and go.
struct RandomRun {
    private var random: SeededNumbers
    private let metrics: [Metric]
    private let layerCount: Int
    private var values: [[Double]]
    /// The reports for which a value still leaps, by metric and layer, and the factor.
    private var leaps: [[(left: Int, factor: Double)]]
    private var order: [Int]
    private var highest: Int64 = 0
    private var known = KnownTables()
    private var seq: UInt64 = 0

    init(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        var chosen: [Metric] = []
        for metric in Metric.allCases where seed % 3 == 0 || Bool.random(using: &random) { chosen.append(metric) }
        metrics = chosen.isEmpty ? [.gradientNorm] : chosen
        layerCount = Int.random(in: 1...8, using: &random)
        values = []
        for _ in metrics {
            var row: [Double] = []
            for _ in 0..<layerCount { row.append(Double.random(in: 0.01...1, using: &random)) }
            values.append(row)
        }
        leaps = metrics.map { [layerCount] _ in Array(repeating: (0, 1), count: layerCount) }
        order = Array(0..<layerCount)
        self.random = random
    }

    /// The next step.
    mutating func next() throws -> StepRecord {
        if random.happens(0.01) { order = Array((0..<layerCount).shuffled(using: &random)) }
        if random.happens(0.01) { order = Array(order.prefix(Int.random(in: 1...layerCount, using: &random))) }
        let isLate = highest > 10 && random.happens(0.03)
        let step = isLate ? highest - Int64.random(in: 1...9, using: &random) : highest + 1
        highest = max(highest, step)
        let columns = metrics.indices.map { metric in
            let texts = order.map { valueText(metric, $0) }.joined(separator: ",")
            return "\"\(metrics[metric].name)\":[\(texts)]"
        }
        let layers = order.map { layer in
            let kind = layer == 2 ? "LayerNorm" : "Linear"
            let size = layer % 2 == 0 ? ",\"parameters\":\(1 + 1_000 * layer)" : ""
            return "{\"id\":\"l\(layer)\",\"type\":\"\(kind)\",\"trainable\":\(layer != 1)\(size)}"
        }
        let loss = random.happens(0.02) ? 90 : Double.random(in: 0.5...1, using: &random)
        let scalars = "\"loss\":\(loss),\"lr\":\(random.happens(0.1) ? 1e-9 : 0.1),"
        let skipped = "\"optimizer_skipped\":\(random.happens(0.03) ? 1 : 0)"
        let text =
            "{\"step\":\(step),\"time\":\(1_700_000_000 + step),\"scalars\":{\(scalars)\(skipped)},"
            + "\"layers\":[\(layers.joined(separator: ","))],\"metrics\":{\(columns.joined(separator: ","))}}"
        var warnings = StepWarnings()
        let decoded = OpenStepDecoder().decode(Array(text.utf8), runID: "r", known: known, warnings: &warnings)
        seq += 1
        let record = StepRecord(try decoded.get(), seq: seq)
        known.note(record)
        return record
    }

    /// The next value of a metric of a layer.
    private mutating func valueText(_ metric: Int, _ layer: Int) -> String {
        if random.happens(0.01) {
            let factors = [1e-9, 1e-4, 1e4, 1e9, 0.0]
            let factor = factors.randomElement(using: &random) ?? 1
            leaps[metric][layer] = (Int.random(in: 1...40, using: &random), factor)
        }
        // A value that stays as it is looks like frozen weights.
        if !random.happens(0.3) { values[metric][layer] *= Double.random(in: 0.9...1.11, using: &random) }
        switch Int.random(in: 0..<200, using: &random) {
        case 0...5: return "null"
        case 6: return "NaN"
        case 7: return "Infinity"
        case 8, 9: return "0"
        default: break
        }
        guard leaps[metric][layer].left > 0 else { return "\(values[metric][layer])" }
        leaps[metric][layer].left -= 1
        return "\(values[metric][layer] * leaps[metric][layer].factor)"
    }
}
