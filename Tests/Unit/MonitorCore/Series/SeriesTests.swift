import Foundations
import Testing

@testable import MonitorCore

/// Buckets of runs, compared with their raw steps.
@Suite struct SeriesTests {
    private static let layers = ["h/0", "h/1", "head"].map { TestLayer(id: $0) }

    /// A step with some of the layers, metrics and scalars, and with values that may be missing or not finite.
    private static func step(
        _ number: Int64, run: String = "r", _ random: inout some RandomNumberGenerator
    ) -> DecodedStep {
        let isSparse = number % 10 != 0 && number < 5_000
        let layers = isSparse ? [] : Self.layers.filter { _ in Int.random(in: 0..<8, using: &random) > 0 }
        let metrics = isSparse ? [] : ["m", "n"].filter { _ in Int.random(in: 0..<8, using: &random) > 0 }
        let scalars = ["loss", "lr"].filter { _ in Int.random(in: 0..<5, using: &random) > 0 }
        let step = OpenSteps.step(number, run: run, scalars: scalars, layers: layers, metrics: metrics)
        return step.with(step.numbers.map { _ in value(&random) })
    }

    private static func value(_ random: inout some RandomNumberGenerator) -> Double {
        switch Int.random(in: 0..<16, using: &random) {
        case 0: .nan
        case 1: .infinity
        case 2: -.infinity
        case 3: MissingValue.number
        default: Double(Int.random(in: -9...9, using: &random)) * 1.5
        }
    }

    private static func request(from: Int64 = 0, to: Int64 = .max, points: Int) -> SeriesRequest {
        var request = SeriesRequest()
        request.from = from
        request.to = to
        request.points = points
        request.metrics = ["m", "n"]
        request.scalars = ["loss", "lr"]
        return request
    }

    /// What a plan and its block have, as text that can be compared.
    private static func picture(_ snapshot: RunSnapshot, _ request: SeriesRequest) async throws -> [String] {
        let plan = try await SeriesPlan(snapshot, request)
        let block = plan.block(0..<plan.rows.count)
        var lines = ["\(plan.steps) \(plan.lastSteps)"]
        for (row, series) in plan.rows.enumerated() {
            let name = series.layer.map { String(decoding: plan.layers[$0].id, as: UTF8.self) } ?? ""
            for bucket in 0..<plan.bucketCount {
                let index = block.index(row: row, bucket: bucket)
                let last = MissingValue.isMissing(block.last[index]) ? "missing" : "\(block.last[index])"
                lines.append(
                    "\(name) \(series.name) \(plan.steps[bucket]): \(block.minimum[index]) \(block.maximum[index]) "
                        + "\(last) \(block.nonfinite[index])")
            }
        }
        return lines
    }

    /// The same run for a reader that does not use summaries.
    private static func raw(_ snapshot: RunSnapshot) -> RunSnapshot {
        RunSnapshot(
            id: snapshot.id, createdAt: snapshot.createdAt, lastUpdate: snapshot.lastUpdate,
            sequence: snapshot.sequence, lastSeq: snapshot.lastSeq, steps: snapshot.steps, names: snapshot.names,
            structure: snapshot.structure)
    }

    /// Step numbers: dense, with a stride, in clusters, or anywhere.
    private static func numbers(_ count: Int, _ kind: Int, _ random: inout some RandomNumberGenerator) -> [Int64] {
        switch kind {
        case 0: (0..<Int64(count)).map { $0 + 7 }
        case 1: (0..<Int64(count)).map { $0 * 100 }
        case 2: (0..<Int64(count)).map { ($0 / 50) << 33 + $0 % 50 }
        default: (0..<count).map { _ in Int64.random(in: 0..<1 << 50, using: &random) }.sorted()
        }
    }

    @Test(arguments: 0..<4, [false, true])
    func `summaries of kept steps equal the steps, whatever the order of arrival`(
        kind: Int, isShuffled: Bool
    ) async throws {
        var random = SystemRandomNumberGenerator()
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 100_000))
        var order = Self.numbers(500, kind, &random)
        if isShuffled {
            for _ in 0..<120 {
                order.swapAt(.random(in: 0..<500, using: &random), .random(in: 0..<500, using: &random))
            }
            order += order.shuffled(using: &random).prefix(100)
        }
        for (index, number) in order.enumerated() {
            _ = await store.append(Self.step(number, &random))
            guard index % 211 == 0 || index == order.count - 1 else { continue }
            let snapshot = try #require(await store.snapshot(of: "r"))
            let ends = [order.randomElement(using: &random) ?? 0, order.randomElement(using: &random) ?? 0].sorted()
            for points in [1, 24] {
                for request in [
                    Self.request(points: points), Self.request(from: ends[0], to: ends[1] + 3, points: points),
                ] {
                    let expected = try await Self.picture(Self.raw(snapshot), request)
                    #expect(try await Self.picture(snapshot, request) == expected)
                }
            }
        }
        let series = try #require(await store.snapshot(of: "r")?.series?.series)
        // Otherwise the summaries were not tested.
        #expect(series.numbersMemory > 0)
    }

    @Test func `a small late step drops the summaries above it, and later posts pay for new ones`() async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 100_000))
        let layers = (0..<1_000).map { TestLayer(id: "layer\($0)") }
        let metrics = (0..<8).map { "m\($0)" }
        func post(_ number: Int64, isLarge: Bool) async {
            _ = await store.append(
                OpenSteps.step(
                    number, scalars: ["loss"], layers: isLarge ? layers : [], metrics: isLarge ? metrics : []))
        }
        func series() async throws -> RunSeries { try #require(await store.snapshot(of: "r")?.series?.series) }
        for number: Int64 in 0..<400 { await post(number, isLarge: true) }
        let complete = try await series().numbersMemory
        // Two leaves. The first post may renew one of them, and owes for it then.
        for number: Int64 in [5, 100] { await post(number, isLarge: false) }
        #expect(try await series().numbersMemory < complete - 3 * 24 * 8_000)
        // A leaf of 31 large steps costs what some sixty small posts may cause.
        for number: Int64 in 400..<430 { await post(number, isLarge: false) }
        #expect(try await series().root?.isStale == true)
        for number: Int64 in 430..<600 { await post(number, isLarge: false) }
        #expect(try await series().root?.isStale == false)
        #expect(try await series().numbersMemory >= complete)
        let snapshot = try #require(await store.snapshot(of: "r"))
        let request = Self.request(points: 3)
        #expect(try await Self.picture(snapshot, request) == Self.picture(Self.raw(snapshot), request))
    }

    @Test(arguments: 0..<4)
    func `steps that are no longer kept live on in buckets that equal them`(kind: Int) async throws {
        var random = SystemRandomNumberGenerator()
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 100))
        var posted: [Int64: DecodedStep] = [:]
        let numbers = Self.numbers(3_000, kind, &random)
        for (index, number) in numbers.enumerated() {
            // A late step now and then, below all that are kept.
            if index % 40 == 39 {
                let late = numbers[.random(in: 0..<index, using: &random)] + 1
                if posted[late] == nil, !numbers.contains(late) {
                    posted[late] = Self.step(late, &random)
                    _ = await store.append(try #require(posted[late]))
                }
            }
            posted[number] = Self.step(number, &random)
            _ = await store.append(try #require(posted[number]))
            guard index == 1_700 || index == numbers.count - 1 else { continue }
            let snapshot = try #require(await store.snapshot(of: "r"))
            for points in [1, 30, 10_000] {
                try await Self.check(snapshot, posted, Self.request(points: points))
                let from = numbers[.random(in: 0...index, using: &random)]
                try await Self.check(snapshot, posted, Self.request(from: from, points: points))
            }
        }
        let archive = try #require(await store.snapshot(of: "r")?.series?.series.archive)
        #expect(archive.count >= 1_024 && archive.count < 2_048)
    }

    @Test func `buckets of all runs share a quarter of the memory and become larger where it is short`() async throws {
        var random = SystemRandomNumberGenerator()
        let limits = StoreLimits(stepsPerRun: 20, memory: 400_000)
        let store = MemoryStore(limits: limits)
        var posted: [RunID: [Int64: DecodedStep]] = [:]
        for number: Int64 in 0..<600 {
            for run in ["a", "b", "c"] as [RunID] where run != "c" || number % 5 == 0 {
                let step = Self.step(number, run: run.text, &random)
                posted[run, default: [:]][number] = step
                _ = await store.append(step)
            }
            #expect(await store.archiveMemory <= limits.archiveMemory)
        }
        for (run, steps) in posted {
            let snapshot = try #require(await store.snapshot(of: run))
            try await Self.check(snapshot, steps, Self.request(points: 10_000))
            let plan = try await SeriesPlan(snapshot, Self.request(points: 10_000))
            #expect(plan.resolution > 1 && plan.bucketCount > 20 && plan.steps.first == 0)
        }
        for run in posted.keys { _ = await store.remove(run) }
        #expect(await store.archiveMemory == 0)
    }

    @Test func `going back drops the buckets from its step on, but not the one that straddles it`() async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 10))
        for number: Int64 in 0..<3_000 { _ = await store.append(OpenSteps.step(number, scalars: ["a"])) }
        _ = try await store.put(#"{"resume_from":1000}"#)
        let request = Self.request(points: 10_000)
        var plan = try await SeriesPlan(try #require(await store.snapshot(of: "r")), request)
        #expect(plan.steps.first == 0 && plan.lastSteps.last == 999)
        for number: Int64 in 1_000..<1_005 { _ = await store.append(OpenSteps.step(number, scalars: ["a"])) }
        plan = try await SeriesPlan(try #require(await store.snapshot(of: "r")), request)
        #expect(plan.lastSteps.last == 1_004 && zip(plan.lastSteps, plan.steps.dropFirst()).allSatisfy { $0 < $1 })
        // A step below all buckets' end is not kept, but counts.
        let late = await store.append(OpenSteps.step(500, scalars: ["a"]))
        #expect(!late.step.kept)
        _ = try await store.put(#"{"resume_from":0}"#)
        #expect(try await SeriesPlan(try #require(await store.snapshot(of: "r")), request).steps.isEmpty)
    }

    @Test func `a folded step that is posted again can only widen its bucket`() async throws {
        let store = MemoryStore(limits: StoreLimits(stepsPerRun: 10))
        func post(_ number: Int64, _ value: Double) async {
            _ = await store.append(OpenSteps.step(number, scalars: ["loss"]).with([value]))
        }
        for number: Int64 in 0..<100 { await post(number, 1) }
        await post(3, 5)
        await post(3, 2)
        let plan = try await SeriesPlan(try #require(await store.snapshot(of: "r")), Self.request(to: 3, points: 1))
        let block = plan.block(0..<1)
        #expect(block.minimum == [1] && block.maximum == [5] && block.last == [2])
    }

    /// Compares each bucket with the posted steps between its bounds.
    private static func check(_ snapshot: RunSnapshot, _ posted: [Int64: DecodedStep], _ request: SeriesRequest)
        async throws
    {
        let plan = try await SeriesPlan(snapshot, request)
        let block = plan.block(0..<plan.rows.count)
        let steps = posted.keys.sorted().filter { $0 >= plan.steps.first ?? .max }
        #expect(plan.bucketCount <= request.points)
        #expect(plan.steps == plan.steps.sorted() && zip(plan.steps, plan.lastSteps).allSatisfy { $0 <= $1 })
        var position = 0
        for bucket in 0..<plan.bucketCount {
            var inside: [Int64] = []
            while position < steps.count, steps[position] <= plan.lastSteps[bucket] {
                inside.append(steps[position])
                position += 1
            }
            #expect(inside.first == plan.steps[bucket] && inside.last == plan.lastSteps[bucket])
            for (row, series) in plan.rows.enumerated() {
                let layer = series.layer.map { plan.layers[$0].id }
                let values = inside.compactMap { posted[$0]?.value(layer, series.name.text) }
                let finite = values.filter(\.isFinite)
                let index = block.index(row: row, bucket: bucket)
                #expect(block.minimum[index] == finite.min() ?? .infinity)
                #expect(block.maximum[index] == finite.max() ?? -.infinity)
                #expect(block.last[index].bitPattern == (values.last ?? MissingValue.number).bitPattern)
                #expect(Int(block.nonfinite[index]) == values.count - finite.count)
            }
        }
        #expect(position == steps.count)
    }
}

extension DecodedStep {
    /// The step with other numbers.
    fileprivate func with(_ numbers: [Double]) -> DecodedStep {
        var contents = contents
        contents.numbers = numbers
        return DecodedStep(contents)
    }

    /// A posted value; `nil` if it is missing.
    fileprivate func value(_ layer: [UInt8]?, _ name: String) -> Double? {
        let index: Int?
        if let layer {
            guard let position = (0..<layout.layerCount).first(where: { Array(layout.idBytes($0)) == layer }) else {
                return nil
            }
            index = (0..<columns.metricCount).first { columns.metricName($0).elementsEqual(name.utf8) }
                .map { $0 * layout.layerCount + position }
        } else {
            index = (0..<columns.scalarCount).first { columns.scalarName($0).elementsEqual(name.utf8) }
                .map { columns.metricCount * layout.layerCount + $0 }
        }
        return index.flatMap { MissingValue.isMissing(numbers[$0]) ? nil : numbers[$0] }
    }
}
