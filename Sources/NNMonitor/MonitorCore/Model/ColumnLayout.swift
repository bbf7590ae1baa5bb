/// The names of a step's numbers: its metrics, its scalars and its vectors.
///
/// Flat arrays, as in `LayerLayout`: consecutive steps of a run usually have equal names and share one `ColumnTable`.
package struct ColumnLayout: Sendable, Equatable {
    /// All names and the layer ids of vectors (unescaped UTF-8).
    package internal(set) var text: [UInt8] = []
    /// Two offsets into `text` per metric: start and end of its name.
    package internal(set) var metricBounds: [Int32] = []
    /// Two offsets into `text` per scalar: start and end of its name. The names of the first `ratioCount` scalars lack
    /// their prefix, `gradient_norm_ratio/`.
    package internal(set) var scalarBounds: [Int32] = []
    /// The number of scalars that v1 serves in `gradient_norm_ratio`. They come first.
    package internal(set) var ratioCount = 0
    /// Five numbers per vector: start and end of its name in `text`, start and end of its layer's id, number of values.
    /// The vectors of one name are adjacent.
    package internal(set) var vectorBounds: [Int32] = []
    /// Whether v1 posted the step. Its metrics are then `LayerMetric.all`, and its blocks are complete.
    package internal(set) var isV1 = false

    /// An empty list of names, which the decoder fills.
    package init() {}

    /// The names of a v1 step without scalars.
    static let v1 = {
        var layout = ColumnLayout()
        layout.isV1 = true
        for metric in LayerMetric.all {
            let name = "\(metric.name)".utf8
            layout.metricBounds += [Int32(layout.text.count), Int32(layout.text.count + name.count)]
            layout.text += name
        }
        return layout
    }()

    /// The names of a v1 step without `gradient_norm_ratio`. Such steps share the arrays.
    static let v1WithoutRatios = {
        var layout = ColumnLayout.v1
        layout.appendFeatureStdGradient()
        return layout
    }()

    /// Adds the scalar that v1 posts as `feature_std_gradient`.
    mutating func appendFeatureStdGradient() {
        scalarBounds.append(Int32(truncatingIfNeeded: text.count))
        text += V1Scalar.featureStdGradient
        scalarBounds.append(Int32(truncatingIfNeeded: text.count))
    }

    /// A copy without spare capacity.
    func shrunkToFit() -> ColumnLayout {
        var fitted = ColumnLayout()
        fitted.text = text.shrunkToFit()
        fitted.metricBounds = metricBounds.shrunkToFit()
        fitted.scalarBounds = scalarBounds.shrunkToFit()
        fitted.ratioCount = ratioCount
        fitted.vectorBounds = vectorBounds.shrunkToFit()
        fitted.isV1 = isV1
        return fitted
    }

    /// Heap bytes of the arrays. All v1 steps share the bounds of their metrics.
    var heapBytes: Int {
        text.heapBytes + (isV1 ? 0 : metricBounds.heapBytes) + scalarBounds.heapBytes + vectorBounds.heapBytes
    }

    /// Number of metrics.
    package var metricCount: Int { metricBounds.count / 2 }

    /// Number of scalars.
    package var scalarCount: Int { scalarBounds.count / 2 }

    /// Number of vectors: one for each name and layer.
    package var vectorCount: Int { vectorBounds.count / 5 }

    /// The bytes of a metric's name.
    package func metricName(_ index: Int) -> ArraySlice<UInt8> { slice(metricBounds, at: index * 2) }

    /// The bytes of a scalar's name.
    package func scalarName(_ index: Int) -> ArraySlice<UInt8> {
        index < ratioCount ? V1Scalar.ratioPrefix[...] + scalarKey(index) : scalarKey(index)
    }

    /// The bytes of a scalar's name; of one of v1's ratios only its key.
    package func scalarKey(_ index: Int) -> ArraySlice<UInt8> { slice(scalarBounds, at: index * 2) }

    /// The bytes of a vector's name.
    package func vectorName(_ index: Int) -> ArraySlice<UInt8> { slice(vectorBounds, at: index * 5) }

    /// The bytes of the id of a vector's layer.
    package func vectorLayer(_ index: Int) -> ArraySlice<UInt8> { slice(vectorBounds, at: index * 5 + 2) }

    /// The number of values of a vector.
    package func vectorLength(_ index: Int) -> Int { Int(vectorBounds[index * 5 + 4]) }

    private func slice(_ bounds: [Int32], at index: Int) -> ArraySlice<UInt8> {
        text[Int(bounds[index])..<Int(bounds[index + 1])]
    }
}

/// The names of v1's scalars in the open wire.
enum V1Scalar {
    /// `cross_layer_analysis.feature_std_gradient`
    static let featureStdGradient = Array("feature_std_gradient".utf8)
    /// Before a key of `cross_layer_analysis.gradient_norm_ratio`.
    static let ratioPrefix = Array("gradient_norm_ratio/".utf8)
}

/// The names of the numbers of consecutive steps of a run, with what encoders derive from them.
package final class ColumnTable: Sendable {
    /// The names themselves.
    package let layout: ColumnLayout
    /// For each metric: its name as a JSON string, and a colon.
    let metricKeys: JSONFragments
    /// For each scalar: its name as a JSON string, and a colon. Of one of v1's ratios only its key.
    let scalarKeys: JSONFragments
    /// For each metric of v1, in the order of `LayerMetric.all`: its column here; -1 if the step has none.
    package let v1Columns: [Int]
    /// The columns of the metrics that v1 does not have.
    package let otherColumns: [Int]
    /// The index of the scalar that v1 serves as `feature_std_gradient`; `nil` if the step has none.
    package let featureStdGradient: Int?
    private let ledger: RunLedger?

    private static let v1MetricKeys = keys(of: .v1)
    private static let allV1Columns = Array(0..<LayerMetric.count)

    /// Copies the names without spare capacity and encodes their JSON.
    ///
    /// - Parameters:
    ///   - layout: the names.
    ///   - ledger: counts the table as long as it exists; `nil`: it is not counted.
    package init(_ layout: ColumnLayout, ledger: RunLedger? = nil) {
        let layout = layout.shrunkToFit()
        self.layout = layout
        if layout.isV1 {
            metricKeys = Self.v1MetricKeys
            v1Columns = Self.allV1Columns
            otherColumns = []
        } else {
            let metrics = 0..<layout.metricCount
            metricKeys = Self.keys(of: layout)
            let v1Columns = LayerMetric.all.map { metric in
                metrics.first { layout.metricName($0).elementsEqual("\(metric.name)".utf8) } ?? -1
            }
            self.v1Columns = v1Columns
            otherColumns = metrics.filter { !v1Columns.contains($0) }
        }
        featureStdGradient = (layout.ratioCount..<layout.scalarCount).first {
            layout.scalarKey($0).elementsEqual(V1Scalar.featureStdGradient)
        }
        scalarKeys = JSONFragments(count: layout.scalarCount) { index, writer in
            writer.string(layout.scalarKey(index))
            writer.byte(UInt8(ascii: ":"))
        }
        self.ledger = ledger
        ledger?.add(memory)
    }

    deinit { ledger?.subtract(memory) }

    private static func keys(of layout: ColumnLayout) -> JSONFragments {
        JSONFragments(count: layout.metricCount) { index, writer in
            writer.string(layout.metricName(index))
            writer.byte(UInt8(ascii: ":"))
        }
    }

    /// The indices of the scalars that v1 serves in `gradient_norm_ratio`.
    package var ratios: Range<Int> { 0..<layout.ratioCount }

    /// The indices of the scalars that v1 does not have.
    package var otherScalars: some Sequence<Int> {
        (layout.ratioCount..<layout.scalarCount).lazy.filter { [featureStdGradient] in $0 != featureStdGradient }
    }

    /// Bytes that this table holds: the object, its entry in the run's use counts and its arrays.
    package var memory: Int {
        256 + layout.heapBytes + scalarKeys.heapBytes
            + (layout.isV1 ? 0 : metricKeys.heapBytes + v1Columns.heapBytes + otherColumns.heapBytes)
    }
}
