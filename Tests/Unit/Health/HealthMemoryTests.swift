import Foundations
import MonitorCore
import Testing

@testable import Health

/// SCHEMA.md, "Memory of layer health".
@Suite struct HealthMemoryTests {
    private static let twelve: [String] = [
        "activation_std", "activation_mean", "cross_layer_std_ratio", "gradient_l2_norm", "gradient_std",
        "gradient_max_abs", "weight_std", "weight_mean", "weight_spectral_norm", "weight_frobenius_norm", "bias_std",
        "bias_mean_abs",
    ]

    /// The memory of an engine after a step of layers with ids of 8 bytes.
    private func memory(layers: Int, _ metrics: [String], maximum: Int = 10_000) throws -> Int {
        var engine = RunHealthEngine(HealthRulesInUse(HealthRules()), maximumLayers: maximum)
        let ids = (0..<layers).map { "{\"id\":\"l\(1_000_000 + $0)\"}" }.joined(separator: ",")
        // Values that no rule finds abnormal: alerts take memory of their own.
        let columns = metrics.map { metric in
            let value = metric == Metric.overflowFraction.name ? "0" : "0.01"
            return "\"\(metric)\":[\(Array(repeating: value, count: layers).joined(separator: ","))]"
        }.joined(separator: ",")
        var known = KnownTables()
        for step in 0..<3 {
            let text = "{\"step\":\(step),\"layers\":[\(ids)],\"metrics\":{\(columns)}}"
            var warnings = StepWarnings()
            let decoded = OpenStepDecoder().decode(Array(text.utf8), runID: "r", known: known, warnings: &warnings)
            let record = StepRecord(try decoded.get(), seq: UInt64(step + 1))
            known.note(record)
            _ = engine.observe(record, isBelowKeptSteps: false, kept: StepSequence(), context: RunContext())
        }
        return engine.memory
    }

    private func bytesPerLayer(_ metrics: [String]) throws -> Int {
        (try memory(layers: 3_000, metrics) - memory(layers: 1_000, metrics)) / 2_000
    }

    /// Bytes for each layer that the allocator may add: two large arrays of 2 000 layers can each have one page more
    /// than they need. It is less than one number of a layer.
    private static let rounding = 2 * 4_096 / 2_000

    @Test func aLayerTakesWhatTheSchemaStates() throws {
        let (none, twelve) = (try bytesPerLayer(["other"]), try bytesPerLayer(Self.twelve))
        let all = try bytesPerLayer(Metric.allCases.map(\.name))
        #expect(none <= 124 + 2 * 8 + Self.rounding)
        #expect(twelve - none <= 384 + Self.rounding)
        #expect(all - none <= 768 + Self.rounding)
    }

    @Test func layersBeyondTheLargestNumberTakeNoStates() throws {
        let bounded = try memory(layers: 3_000, Self.twelve, maximum: 1_000)
        // Of the others only the position and the logarithms of one step remain.
        #expect(bounded - (try memory(layers: 1_000, Self.twelve)) <= 2_000 * 24)
    }
}
