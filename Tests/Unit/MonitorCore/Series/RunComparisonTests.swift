import Foundations
import Testing

@testable import MonitorCore

@Suite struct RunComparisonTests {
    /// A source that fails after some steps.
    private struct FailingSource: HistorySource {
        let records: [StepRecord]

        func steps(after step: Int64?) async throws(StoreError) -> [StepRecord] {
            guard let record = records.first(where: { $0.step > step ?? -1 }) else { throw StoreError("out of order") }
            return [record]
        }
    }

    private func record(_ step: Int64, _ value: String = "1") throws -> StepRecord {
        try OpenPayloads.decode(#"{"step":\#(step),"layers":["l"],"metrics":{"m":[\#(value)]}}"#).record
    }

    private func side(_ source: any HistorySource, lastSeq: UInt64 = 1) -> RunComparison.Side {
        let now = UTCTime(microseconds: 0)
        let snapshot = RunSnapshot(
            id: "r", createdAt: now, lastUpdate: now, sequence: 1, lastSeq: lastSeq, steps: source)
        return RunComparison.Side(snapshot, "m")
    }

    private func side(_ records: [StepRecord]) -> RunComparison.Side {
        var steps = StepSequence()
        for record in records { _ = steps.insert(record) }
        return side(steps)
    }

    @Test func `common steps share buckets as those of one run do`() async throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            let highest = Int64(1) << Int64.random(in: 1...62, using: &random)
            func draw() -> Set<Int64> {
                Set((0..<Int.random(in: 0...50, using: &random)).map { _ in .random(in: 0...highest, using: &random) })
            }
            let both = draw()
            let a = try side(both.union(draw()).map { try record($0) })
            let b = try side(both.union(draw()).map { try record($0) })
            let common = try await RunComparison(a, b, points: .max, factor: 2)
            var expected = StepBuckets()
            for step in common.steps { expected.note(step) }
            #expect(both.isSubset(of: common.steps) && common.steps == common.lastSteps)
            for points in [1, 2, 7, 40] {
                let shift = expected.shift(points: points)
                let buckets = Dictionary(grouping: common.steps) { $0 >> shift }.values.sorted { $0[0] < $1[0] }
                let comparison = try await RunComparison(a, b, points: points, factor: 2)
                #expect(comparison.steps == buckets.map { $0[0] })
                #expect(comparison.lastSteps == buckets.map { $0[$0.count - 1] })
            }
        }
    }

    @Test func `a source that fails fails the comparison`() async throws {
        let good = try side([record(1), record(2)])
        let bad = side(FailingSource(records: [try record(1)]))
        await #expect(throws: StoreError.self) { _ = try await RunComparison(good, bad, points: 10, factor: 2) }
        await #expect(throws: StoreError.self) { _ = try await RunComparison(bad, good, points: 10, factor: 2) }
    }

    @Test func `a comparison whose client has left ends early`() async throws {
        let steps = try (0..<100).map { try record($0) }
        let (a, b) = (side(steps), side(steps))
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await RunComparison(a, b, points: 1000, factor: 2).bucketCount
        }
        task.cancel()
        #expect(try await task.value == 0)
    }

    @Test(
        arguments: [
            (1, 2, false), (1, 2.1, true), (2, 1, false), (2.1, 1, true), (-1, -2, false), (1, -1, true), (0, 0, false),
            (0, 1, true), (1, 0, true), (.nan, 1, true), (1, .nan, true), (.nan, .nan, false),
            (.infinity, .infinity, false), (.infinity, -.infinity, true), (.infinity, 1, true), (1e300, 1e-300, true),
            (0, -0.0, false),
        ] as [(Double, Double, Bool)])
    func `values diverge strictly beyond the factor`(a: Double, b: Double, diverge: Bool) {
        #expect(LayerRatio.isBeyond(a, b, factor: 2) == diverge)
        #expect(LayerRatio.isBeyond(b, a, factor: 2) == diverge)
    }

    @Test func `ratios`() {
        #expect(LayerRatio.ratio(4, 2) == 0.5)
        #expect(LayerRatio.ratio(-4, 0) == 0 && LayerRatio.ratio(0, -4) == .infinity)
        #expect(LayerRatio.ratio(1, .infinity).isNaN && !MissingValue.isMissing(LayerRatio.ratio(.nan, 1)))
        for (a, b) in [(0, 0), (MissingValue.number, 1), (.nan, MissingValue.number)] as [(Double, Double)] {
            #expect(MissingValue.isMissing(LayerRatio.ratio(a, b)))
        }
    }
}

@Suite struct RunConfigDifferenceTests {
    private func differences(_ a: String, _ b: String) throws -> String {
        func config(_ json: String) throws -> RunConfig {
            try OpenSteps.update(#"{"config":\#(json)}"#).config.map { RunConfig().merged(with: $0) } ?? RunConfig()
        }
        var writer = JSONWriter()
        RunConfig.appendDifferences(try config(a), try config(b), to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `members that differ are shown as they were posted`() throws {
        #expect(try differences("{}", "{}") == "{}")
        #expect(
            try differences(#"{"lr":1e-3,"a":[1],"k\"":true}"#, #"{"lr":1E-4,"b":{"x":null},"a":[1]}"#)
                == #"{"lr":{"a":1e-3,"b":1E-4},"k\"":{"a":true,"b":null},"b":{"a":null,"b":{"x":null}}}"#)
    }

    @Test(arguments: [
        (#"1e3"#, #"1000.0"#), (#""A\/é""#, #""\u0041/\u00e9""#),
        (#"{"x":1,"y":[2,{}]}"#, #"{ "y" : [2.0, {}], "x":1}"#),
        (#"{"x":1,"x":2}"#, #"{"x":2}"#), (#"123456789012345678901"#, #"123456789012345678901"#),
    ])
    func `values are compared as JSON`(a: String, b: String) throws {
        #expect(try differences(#"{"k":\#(a)}"#, #"{"k":\#(b)}"#) == "{}")
    }

    @Test(arguments: [
        (#"9007199254740993"#, #"9007199254740992"#), (#"1"#, #""1""#), (#"[1,2]"#, #"[2,1]"#), (#"null"#, #"false"#),
        (#"{"x":1}"#, #"{"x":1,"y":null}"#), (#"0.1"#, #"0.10000000000000002"#), (#""e\u0301""#, #""é""#),
        (#"[]"#, #"{}"#),
    ])
    func `other values differ`(a: String, b: String) throws {
        #expect(try differences(#"{"k":\#(a)}"#, #"{"k":\#(b)}"#) != "{}")
    }
}
