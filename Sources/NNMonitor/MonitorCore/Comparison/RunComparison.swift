package import Foundations

/// The metric of two runs, layer by layer, over the steps that both keep in full.
package struct RunComparison: Sendable {
    /// A run, and how its metric is read.
    package struct Side: Sendable {
        /// The run with its steps.
        package let snapshot: RunSnapshot
        fileprivate let layers: RunLayers
        fileprivate var metric: StepMetric
        fileprivate var table: LayerTable?
        fileprivate var places: [Int] = []

        /// - Parameters:
        ///   - snapshot: the run with its steps.
        ///   - metric: the metric.
        package init(_ snapshot: RunSnapshot, _ metric: ByteString) {
            self.snapshot = snapshot
            layers = RunLayers(snapshot)
            self.metric = StepMetric(metric, in: snapshot.names, layers)
        }

        /// Finds the layers and columns of a step.
        fileprivate mutating func select(_ record: StepRecord, _ pairs: inout LayerPairs) {
            metric.select(record)
            guard table !== record.table else { return }
            table = record.table
            places = pairs.places(of: record.table)
        }
    }

    private let a: Side
    private let b: Side
    private let buckets: [CommonBuckets.Bucket]
    /// The layers that both runs have: by first divergence, then by depth, then in order of appearance.
    package let layers: [ComparedLayer]
    /// The ids of layers that only the first run has.
    package let onlyA: [[UInt8]]
    /// The ids of layers that only the second run has.
    package let onlyB: [[UInt8]]

    /// Reads all steps of both runs once.
    ///
    /// - Parameters:
    ///   - a: the first run.
    ///   - b: the second run.
    ///   - points: the largest number of buckets.
    ///   - factor: by which values must differ to diverge, above 1.
    /// - Throws: `StoreError` if the steps cannot be read.
    package init(_ a: Side, _ b: Side, points: Int, factor: Double) async throws(StoreError) {
        (self.a, self.b) = (a, b)
        var (a, b) = (a, b)
        var pairs = LayerPairs(factor: factor)
        var stepsA = StepCursor(a.snapshot.steps)
        var stepsB = StepCursor(b.snapshot.steps)
        var common = CommonBuckets(points: points)
        var work = 0
        var (nextA, nextB) = (try await stepsA.next(), try await stepsB.next())
        while (nextA != nil || nextB != nil) && !Task.isCancelled {
            let step = min(nextA?.step ?? .max, nextB?.step ?? .max)
            let (recordA, recordB) = (nextA?.step == step ? nextA : nil, nextB?.step == step ? nextB : nil)
            if let recordA {
                a.select(recordA, &pairs)
                pairs.noteFirst(recordA, a.places, a.metric)
                nextA = try await stepsA.next()
            }
            if let recordB {
                b.select(recordB, &pairs)
                pairs.noteSecond(recordB, b.places, b.metric)
                nextB = try await stepsB.next()
            }
            if let recordA, let recordB { common.note(recordA, recordB) }
            // Long comparisons leave the thread to other tasks now and then.
            work += 1 + (recordA?.layerCount ?? 0) + (recordB?.layerCount ?? 0)
            if work >= Self.turn {
                work = 0
                await Task.yield()
            }
        }
        buckets = common.buckets
        layers = pairs.common(a.layers)
        onlyA = pairs.only(in: 0, a.layers)
        onlyB = pairs.only(in: 1, b.layers)
    }

    /// About this many values are read in one turn.
    private static let turn = 1 << 16

    /// The first common step of each bucket, ascending.
    package var steps: [Int64] { buckets.map(\.first) }

    /// The last common step of each bucket.
    package var lastSteps: [Int64] { buckets.map(\.last.a.step) }

    /// The number of buckets.
    package var bucketCount: Int { buckets.count }

    /// Bytes of the arrays.
    package var memory: Int {
        let ids = layers.reduce(0) { $0 + $1.id.heapBytes } + (onlyA + onlyB).reduce(0) { $0 + $1.heapBytes }
        return buckets.heapBytes + layers.heapBytes + onlyA.heapBytes + onlyB.heapBytes + ids
    }

    /// The ratios b / a of some layers at the last step of each bucket, layer by layer, as `LayerRatio.ratio` has them.
    ///
    /// - Parameter range: indices of `layers`.
    /// - Returns: for each layer a number for each bucket.
    package func ratios(_ range: Range<Int>) -> [Double] {
        var (a, b) = (LayerReader(layers[range], a.metric), LayerReader(layers[range], b.metric))
        var ratios = [Double](repeating: MissingValue.number, count: range.count * buckets.count)
        for (index, bucket) in buckets.enumerated() {
            a.select(bucket.last.a)
            b.select(bucket.last.b)
            for row in 0..<range.count {
                ratios[row * buckets.count + index] = LayerRatio.ratio(
                    a.value(bucket.last.a, row), b.value(bucket.last.b, row))
            }
        }
        return ratios
    }
}

/// Divides the steps that two runs have in common into buckets, as `StepBuckets` divides those of one run.
private struct CommonBuckets {
    /// A bucket of common steps.
    struct Bucket: Sendable {
        let first: Int64
        /// The highest step, of both runs.
        var last: (a: StepRecord, b: StepRecord)
    }

    private let points: Int
    private var shift = 0
    private(set) var buckets: [Bucket] = []

    init(points: Int) { self.points = points }

    /// Adds a step with a higher number than all before, and merges buckets until there are at most `points`.
    ///
    /// At a given shift, their number only grows with the steps. So the shift is the least that gives at most `points`.
    mutating func note(_ a: StepRecord, _ b: StepRecord) {
        append(Bucket(first: a.step, last: (a, b)))
        while buckets.count > points {
            shift += 1
            let narrow = buckets
            buckets.removeAll(keepingCapacity: true)
            for bucket in narrow { append(bucket) }
        }
    }

    private mutating func append(_ bucket: Bucket) {
        if let last = buckets.last, last.first >> shift == bucket.first >> shift {
            buckets[buckets.count - 1].last = bucket.last
        } else {
            buckets.append(bucket)
        }
    }
}

/// Reads a metric of some layers of steps.
private struct LayerReader {
    private let rows: [ArraySlice<UInt8>: Int]
    private var metric: StepMetric
    private var table: LayerTable?
    /// For each row its layer in `table`; -1 if there is none.
    private var layers: [Int]

    init(_ layers: ArraySlice<ComparedLayer>, _ metric: StepMetric) {
        rows = Dictionary(uniqueKeysWithValues: layers.enumerated().map { ($1.id[...], $0) })
        self.metric = metric
        self.layers = [Int](repeating: -1, count: layers.count)
    }

    mutating func select(_ record: StepRecord) {
        metric.select(record)
        guard table !== record.table else { return }
        table = record.table
        for row in layers.indices { layers[row] = -1 }
        // The first layer of an id counts.
        for layer in (0..<record.layerCount).reversed() {
            if let row = rows[record.table.layout.idBytes(layer)] { layers[row] = layer }
        }
    }

    func value(_ record: StepRecord, _ row: Int) -> Double {
        layers[row] < 0 ? MissingValue.number : metric.value(record, layer: layers[row])
    }
}

/// Reads the steps of a run one after the other.
private struct StepCursor {
    private let source: any HistorySource
    private var batch: ArraySlice<StepRecord> = []
    private var lastRead: Int64?

    init(_ source: any HistorySource) { self.source = source }

    mutating func next() async throws(StoreError) -> StepRecord? {
        if batch.isEmpty {
            batch = try await source.steps(after: lastRead)[...]
            lastRead = batch.last?.step ?? lastRead
        }
        return batch.popFirst()
    }
}
