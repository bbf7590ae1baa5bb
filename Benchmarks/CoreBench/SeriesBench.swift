import Foundation
import Foundations
import MonitorCore

/// Stores a run and reads series of it.
///
///     CoreBench series STEPS LAYERS KEPT      12 metrics and 2 scalars a step; the highest KEPT steps are kept in full
enum SeriesBench {
    static func run(steps: Int, layers: Int, kept: Int) async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: kept))
        let decoder = OpenStepDecoder()
        let text = text(layers: layers)
        var warnings = StepWarnings()
        var decoding = Duration.zero
        var storing = Duration.zero
        let clock = CPUClock()
        for number in 0..<steps {
            var body = Array("{\"step\":\(number),\"scalars\":{\"loss\":\(1 / Double(number + 1)),\"lr\":0.001},".utf8)
            body += text
            let known = await store.tables(of: "r")
            var begin = clock.now
            let decoded = try decoder.decode(body, runID: "r", known: known, warnings: &warnings).get()
            decoding += clock.now - begin
            begin = clock.now
            _ = await store.append(decoded)
            storing += clock.now - begin
        }
        let numbers = min(kept, steps) * (12 * layers + 2)
        let memory = await store.memoryInUse
        print("steps \(steps), layers \(layers), kept \(min(kept, steps))")
        print("decode \(decoding / steps) a step, store \(storing / steps) a step")
        print("memory \(memory) bytes, \(Double(memory) / Double(numbers)) a number of a kept step")
        for points in [100, 500, 2_000] {
            try await read(store, points, metrics: ["gradient_l2_norm"], layers: nil, clock)
        }
    }

    private static func text(layers: Int) -> [UInt8] {
        let ids = (0..<layers).map { "\"block.\($0)\"" }.joined(separator: ",")
        let columns = LayerMetric.all.enumerated().map { index, metric in
            let values = (0..<layers).map { "\(Double(index * 31 + $0) / 7)" }.joined(separator: ",")
            return "\"\(metric.name)\":[\(values)]"
        }.joined(separator: ",")
        return Array("\"layers\":[\(ids)],\"metrics\":{\(columns)}}".utf8)
    }

    private static func read(
        _ store: MemoryStore, _ points: Int, metrics: [ByteString], layers: [IDPattern]?, _ clock: CPUClock
    ) async throws {
        var request = SeriesRequest()
        request.points = points
        request.metrics = metrics
        request.scalars = ["loss"]
        guard let snapshot = await store.snapshot(of: "r") else { return }
        var buckets = 0
        let rounds = 20
        let begin = clock.now
        var planning = Duration.zero
        for _ in 0..<rounds {
            let before = clock.now
            let plan = try await SeriesPlan(snapshot, request)
            planning += clock.now - before
            let block = plan.block(0..<plan.rows.count, .last)
            buckets = block.bucketCount
        }
        print(
            "series, at most \(points) points: \(buckets) buckets, \((clock.now - begin) / rounds), of it plan \(planning / rounds)"
        )
    }
}

/// The processor time of the process.
private struct CPUClock {
    var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
