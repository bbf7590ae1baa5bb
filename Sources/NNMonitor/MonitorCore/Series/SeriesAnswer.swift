package import Foundations

/// The series that an answer has: posted ones, and derived metrics.
package struct SeriesAnswer: Sendable {
    /// A layer with at least one series.
    package struct Layer: Sendable {
        /// The bytes of its id as it is served.
        package let id: [UInt8]
        /// Its series.
        package fileprivate(set) var rows: Range<Int>
    }

    /// A series.
    package struct Row: Sendable {
        /// The name of the metric or scalar.
        package let name: ByteString
        fileprivate let source: Source
    }

    /// Where the numbers of a series come from.
    fileprivate enum Source: Sendable {
        /// A row of the plan.
        case posted(Int)
        /// A derived metric. For each `DerivedMetric.Input` the row of the plan, -1 if there is none.
        case derived(DerivedMetric, inputs: InlineArray<6, Int>, parameters: Int64?)

        /// The rows of the plan that it needs.
        var span: ClosedRange<Int> {
            switch self {
            case .posted(let row): return row...row
            case .derived(_, let inputs, _):
                var (lowest, highest) = (Int.max, 0)
                for index in inputs.indices where inputs[index] >= 0 {
                    lowest = min(lowest, inputs[index])
                    highest = max(highest, inputs[index])
                }
                return lowest...highest
            }
        }
    }

    /// About this many buckets are read at once.
    package static let blockSize = 64 << 10

    /// What is read.
    package let plan: SeriesPlan
    /// The layers with at least one series, in the order of the plan.
    package private(set) var layers: [Layer] = []
    /// The series: layer by layer the metrics in the order of the request, then the scalars.
    package private(set) var rows: [Row] = []
    /// The series of scalars.
    package private(set) var scalars = 0..<0
    private var hasDerived = false

    /// Selects what to read.
    ///
    /// - Parameters:
    ///   - snapshot: the run with its steps.
    ///   - request: the series; derived metrics may be among its metrics.
    /// - Throws: `StoreError` if the steps cannot be read.
    package init(_ snapshot: RunSnapshot, _ request: SeriesRequest) async throws(StoreError) {
        let derived = request.metrics.map { DerivedMetric(named: $0, unlessIn: snapshot.names) }
        var posted = request
        posted.metrics = []
        var known: Set<ByteString> = []
        for (name, metric) in zip(request.metrics, derived) {
            let needed = metric.map { $0.allInputs.map { ByteString("\($0.name)") } } ?? [name]
            for name in needed where known.insert(name).inserted { posted.metrics.append(name) }
        }
        plan = try await SeriesPlan(snapshot, posted)
        hasDerived = derived.contains { $0 != nil }
        if hasDerived {
            findRows(Array(zip(request.metrics, derived)))
        } else {
            takeRows()
        }
    }

    /// Takes all rows of the plan.
    private mutating func takeRows() {
        var layer = -1
        rows.reserveCapacity(plan.rows.count)
        for (row, posted) in plan.rows.enumerated() {
            rows.append(Row(name: posted.name, source: .posted(row)))
            guard let index = posted.layer else { continue }
            if index == layer {
                layers[layers.count - 1].rows = layers[layers.count - 1].rows.lowerBound..<row + 1
            } else {
                layers.append(Layer(id: plan.layers[index].id, rows: row..<row + 1))
                layer = index
            }
        }
        scalars = (layers.last?.rows.upperBound ?? 0)..<rows.count
    }

    private mutating func findRows(_ metrics: [(name: ByteString, derived: DerivedMetric?)]) {
        var row = 0
        var found: [ByteString: Int] = [:]
        for (index, layer) in plan.layers.enumerated() {
            found.removeAll(keepingCapacity: true)
            while row < plan.rows.count, plan.rows[row].layer == index {
                found[plan.rows[row].name] = row
                row += 1
            }
            let start = rows.count
            for (name, derived) in metrics {
                if let derived {
                    let count = layer.parameterCount
                    guard let inputs = Self.inputs(of: derived, hasCount: count != nil, found) else { continue }
                    rows.append(Row(name: name, source: .derived(derived, inputs: inputs, parameters: count)))
                } else if let row = found[name] {
                    rows.append(Row(name: name, source: .posted(row)))
                }
            }
            if rows.count > start { layers.append(Layer(id: layer.id, rows: start..<rows.count)) }
        }
        let start = rows.count
        for row in row..<plan.rows.count { rows.append(Row(name: plan.rows[row].name, source: .posted(row))) }
        scalars = start..<rows.count
    }

    /// The rows that a derived metric needs; `nil` if it cannot be computed from those that exist.
    private static func inputs(
        of metric: DerivedMetric, hasCount: Bool, _ rows: [ByteString: Int]
    ) -> InlineArray<6, Int>? {
        var inputs = InlineArray<6, Int>(repeating: -1)
        for input in metric.allInputs { inputs[input.rawValue] = rows[ByteString("\(input.name)")] ?? -1 }
        return metric.isAvailable(hasCount: hasCount) { inputs[$0.rawValue] >= 0 } ? inputs : nil
    }

    /// The number of buckets of each series.
    package var bucketCount: Int { plan.steps.count }

    /// Bytes of the arrays.
    package var memory: Int { plan.memory + rows.heapBytes + layers.heapBytes }

    /// Bytes of the largest block that `end(ofBlockFrom:upTo:)` allows.
    package var blockMemory: Int {
        let count = min(plan.rows.count * bucketCount, Self.blockSize + 16 * bucketCount)
        return count * (hasDerived ? 2 : 1) * (3 * MemoryLayout<Double>.stride + MemoryLayout<UInt32>.stride)
    }

    /// The end of a block of rows of about `blockSize` buckets: at least one row.
    ///
    /// - Parameters:
    ///   - start: the first row.
    ///   - end: the end of the rows that may be in it.
    /// - Returns: the end.
    package func end(ofBlockFrom start: Int, upTo end: Int) -> Int {
        let limit = max(1, Self.blockSize / max(1, bucketCount))
        guard hasDerived else { return min(start + limit, end) }
        var (lowest, highest) = (Int.max, 0)
        for row in start..<end {
            let span = rows[row].source.span
            lowest = min(lowest, span.lowerBound)
            highest = max(highest, span.upperBound)
            if highest - lowest >= limit && row > start { return row }
        }
        return end
    }

    /// The buckets of some rows. In a derived metric, `minimum` and `maximum` are `MissingValue.number`.
    ///
    /// - Parameters:
    ///   - rows: which rows.
    ///   - parts: which parts beside the last value.
    /// - Returns: the buckets.
    package func block(_ rows: Range<Int>, _ parts: SeriesParts = .all) -> SeriesBlock {
        guard hasDerived, let first = rows.first else { return plan.block(rows, parts) }
        var span = self.rows[first].source.span
        for row in rows {
            let next = self.rows[row].source.span
            span = min(span.lowerBound, next.lowerBound)...max(span.upperBound, next.upperBound)
        }
        let posted = plan.block(span.lowerBound..<span.upperBound + 1, parts)
        var block = SeriesBlock(rows: rows, bucketCount: bucketCount, parts: parts)
        for row in rows {
            switch self.rows[row].source {
            case .posted(let source): block.copy(source, of: posted, to: row)
            case .derived(let metric, let inputs, let parameters):
                block.derive(metric, inputs, parameters, from: posted, to: row)
            }
        }
        return block
    }
}

extension SeriesBlock {
    /// The places of a row's buckets.
    func indices(_ row: Int) -> Range<Int> {
        let start = index(row: row, bucket: 0)
        return start..<start + bucketCount
    }

    /// Copies a row of another block.
    fileprivate mutating func copy(_ source: Int, of other: SeriesBlock, to row: Int) {
        let (from, to) = (other.indices(source), indices(row))
        last.replaceSubrange(to, with: other.last[from])
        if !minimum.isEmpty { minimum.replaceSubrange(to, with: other.minimum[from]) }
        if !maximum.isEmpty { maximum.replaceSubrange(to, with: other.maximum[from]) }
        if !nonfinite.isEmpty { nonfinite.replaceSubrange(to, with: other.nonfinite[from]) }
    }

    /// Computes a row of a derived metric from the last values of its inputs.
    fileprivate mutating func derive(
        _ metric: DerivedMetric, _ inputs: InlineArray<6, Int>, _ parameters: Int64?, from other: SeriesBlock,
        to row: Int
    ) {
        let start = index(row: row, bucket: 0)
        for bucket in 0..<bucketCount {
            var numbers = DerivedMetric.noInputs
            for input in inputs.indices where inputs[input] >= 0 {
                numbers[input] = other.last[other.index(row: inputs[input], bucket: bucket)]
            }
            last[start + bucket] = metric.value(numbers, parameters: parameters)
            if !minimum.isEmpty { minimum[start + bucket] = MissingValue.number }
            if !maximum.isEmpty { maximum[start + bucket] = MissingValue.number }
        }
    }
}
