import Foundations
import MonitorCore
import Testing

@testable import Health

/// A run whose steps are judged. Steps are JSON of the open wire.
struct TestRun {
    private(set) var engine: RunHealthEngine
    var context = RunContext()
    private(set) var kept = StepSequence()
    private var seq: UInt64 = 0
    private var known = KnownTables()

    init(_ rules: HealthRules = HealthRules()) { engine = RunHealthEngine(HealthRulesInUse(rules)) }

    init(_ settings: HealthRulesInUse) { engine = RunHealthEngine(settings) }

    /// Judges a step.
    @discardableResult
    mutating func post(_ json: String, isBelowKeptSteps: Bool = false) -> HealthChanges {
        var warnings = StepWarnings()
        guard let step = try? OpenStepDecoder().decode(Array(json.utf8), runID: "r", warnings: &warnings).get() else {
            Issue.record("not a step: \(json)")
            return HealthChanges()
        }
        seq += 1
        // Steps of a run share their tables, as in a store.
        let record = StepRecord(step, seq: seq)
        return engine.observe(record, isBelowKeptSteps: isBelowKeptSteps, kept: kept, context: context)
    }

    /// Judges a step with one metric of one layer, `a`.
    @discardableResult
    mutating func post(_ step: Int, _ metric: String, _ value: Double, scalars: String = "") -> HealthChanges {
        post(
            #"{"step":\#(step),"scalars":{\#(scalars)},"layers":["a"],"metrics":{"\#(metric)":[\#(Self.text(value))]}}"#
        )
    }

    /// Judges a step with a loss.
    @discardableResult
    mutating func post(_ step: Int, loss: Double, lr: Double? = nil) -> HealthChanges {
        let rate = lr.map { ",\"lr\":\($0)" } ?? ""
        return post(#"{"step":\#(step),"scalars":{"loss":\#(Self.text(loss))\#(rate)}}"#)
    }

    /// Changes the engine.
    mutating func engineChange(_ body: (inout RunHealthEngine) -> HealthChanges) -> HealthChanges { body(&engine) }

    /// What was found so far.
    var report: HealthReport { engine.report(context: context) }

    /// The open alerts, as `rule layer severity`.
    var open: [String] { report.alerts.filter(\.isOpen).reversed().map(Self.name) }

    static func name(_ alert: Alert) -> String {
        "\(alert.rule ?? "trainer") \(alert.layer?.text ?? "-") \(alert.severity.name)"
    }

    static func text(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)"
    }
}
