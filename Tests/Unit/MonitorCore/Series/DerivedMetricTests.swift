import Foundation
import Foundations
import Testing

@testable import MonitorCore

@Suite struct DerivedMetricTests {
    /// A layer of a network: a gradient and a weight.
    private static func inputs(_ change: (inout DerivedMetric.Inputs) -> Void = { _ in }) -> DerivedMetric.Inputs {
        var inputs = DerivedMetric.noInputs
        inputs[DerivedMetric.Input.gradientNorm.rawValue] = 6
        inputs[DerivedMetric.Input.gradientMaximum.rawValue] = 1.5
        inputs[DerivedMetric.Input.frobeniusNorm.rawValue] = 10
        inputs[DerivedMetric.Input.spectralNorm.rawValue] = 5
        inputs[DerivedMetric.Input.weightDeviation.rawValue] = 0.6
        inputs[DerivedMetric.Input.weightMean.rawValue] = 0.8
        change(&inputs)
        return inputs
    }

    private func value(
        _ metric: DerivedMetric, parameters: Int64? = nil, _ change: (inout DerivedMetric.Inputs) -> Void = { _ in }
    ) -> Double? {
        let value = metric.value(Self.inputs(change), parameters: parameters)
        return MissingValue.isMissing(value) ? nil : value
    }

    private func value(
        _ metric: DerivedMetric, _ input: DerivedMetric.Input, _ number: Double, parameters: Int64? = nil
    ) -> Double? { value(metric, parameters: parameters) { $0[input.rawValue] = number } }

    @Test func `the formulas`() {
        #expect(value(.gradientToWeight) == 0.6)
        #expect(value(.stableRank) == 4)
        // N = 100 / (0.36 + 0.64)
        #expect(value(.gradientRMS) == 0.6)
        #expect(value(.heavyTail) == 2.5)
        #expect(value(.gradientRMS, parameters: 9) == 2)
        #expect(value(.heavyTail, parameters: 16) == 1)
    }

    @Test func `the number of weights is estimated as in a real layer`() {
        // 4 000 weights with a mean of 0.01 and a deviation of 0.02.
        let weights = (0..<4000).map { 0.01 + ($0 % 2 == 0 ? 0.02 : -0.02) }
        let frobenius = weights.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let rms = value(.gradientRMS) {
            $0[DerivedMetric.Input.frobeniusNorm.rawValue] = frobenius
            $0[DerivedMetric.Input.weightDeviation.rawValue] = 0.02
            $0[DerivedMetric.Input.weightMean.rawValue] = 0.01
        }
        #expect(abs((rms ?? 0) - 6 / 4000.squareRoot()) < 1e-12)
    }

    @Test(arguments: DerivedMetric.allCases)
    func `a missing input gives no value`(metric: DerivedMetric) {
        for input in metric.allInputs { #expect(value(metric, input, MissingValue.number) == nil) }
        for input in DerivedMetric.Input.allCases where !metric.allInputs.contains(input) {
            #expect(value(metric, input, MissingValue.number) == value(metric))
        }
        guard metric.needsCount else { return }
        for input in DerivedMetric.countInputs where !metric.inputs.contains(input) {
            #expect(value(metric, input, MissingValue.number, parameters: 100) == value(metric))
        }
    }

    @Test func `finite inputs without a result give no value`() {
        #expect(value(.gradientToWeight, .frobeniusNorm, 0) == .infinity)
        #expect(
            value(.gradientToWeight) {
                $0[DerivedMetric.Input.frobeniusNorm.rawValue] = 0
                $0[DerivedMetric.Input.gradientNorm.rawValue] = 0
            } == nil)
        #expect(value(.stableRank, .spectralNorm, 0) == .infinity)
        #expect(value(.gradientRMS, .gradientNorm, 0) == 0)
        #expect(value(.heavyTail, .gradientNorm, 0) == .infinity)
        #expect(value(.gradientRMS, .frobeniusNorm, 0) == nil, "N is 0")
        #expect(value(.gradientRMS, parameters: 0) == nil)
        let flat = value(.gradientRMS) {
            $0[DerivedMetric.Input.weightDeviation.rawValue] = 0
            $0[DerivedMetric.Input.weightMean.rawValue] = 0
        }
        #expect(flat == nil, "N is not finite")
    }

    @Test func `inputs that are not finite give what the formula gives`() {
        #expect(value(.gradientToWeight, .gradientNorm, .infinity) == .infinity)
        #expect(value(.gradientToWeight, .frobeniusNorm, .infinity) == 0)
        #expect(value(.gradientToWeight, .gradientNorm, .nan)?.isNaN == true)
        #expect(value(.heavyTail, .gradientMaximum, .nan)?.isNaN == true)
        #expect(value(.gradientRMS, .weightDeviation, .nan) == nil, "N cannot be computed")
    }

    @Test func `a posted metric of the same name wins`() throws {
        var names = RunNames()
        _ = names.note(LayerLayout(), .v1, maximum: 100)
        #expect(DerivedMetric(named: "stable_rank", unlessIn: names) == .stableRank)
        #expect(DerivedMetric(named: "stable_rank\u{0}", unlessIn: names) == nil)
        let step = try OpenPayloads.decode(#"{"step":1,"layers":["l"],"metrics":{"stable_rank":[1]}}"#).accepted
        _ = names.note(step.layout, step.columns, maximum: 100)
        #expect(DerivedMetric(named: "stable_rank", unlessIn: names) == nil)
        #expect(DerivedMetric(named: "heavy_tail", unlessIn: names) == .heavyTail)
    }

    @Test func `SCHEMA.md lists all derived metrics`() throws {
        let root = (0..<5).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let text = try String(contentsOf: root.appendingPathComponent("SCHEMA.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "### Derived metrics\n").last)
        let rows = section.components(separatedBy: "\n### ")[0].split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.map { $0.split(separator: "`")[1] } == DerivedMetric.allCases.map { "\($0.name)" })
    }
}
