/// The ratio of the values of a layer in two runs at one step.
package enum LayerRatio {
    /// b / a: `MissingValue.number` where one was not posted and for 0 / 0, infinity for x / 0, NaN where one is not
    /// finite.
    package static func ratio(_ a: Double, _ b: Double) -> Double {
        if MissingValue.isMissing(a) || MissingValue.isMissing(b) { return MissingValue.number }
        guard a.isFinite && b.isFinite else { return .nan }
        if a == 0 { return b == 0 ? MissingValue.number : .infinity }
        return b / a
    }

    /// Whether two posted values diverge: their ratio is strictly beyond the factor or its inverse, or not a number.
    /// Values that are both NaN, or the same infinity, do not.
    ///
    /// - Parameters:
    ///   - a: the value in the first run.
    ///   - b: the value in the second run.
    ///   - factor: above 1.
    /// - Returns: whether they do.
    package static func isBeyond(_ a: Double, _ b: Double, factor: Double) -> Bool {
        if a == b || a.isNaN && b.isNaN { return false }
        let ratio = ratio(a, b)
        return ratio.isNaN || ratio > factor || ratio < 1 / factor
    }
}

/// A layer that both runs have.
package struct ComparedLayer: Sendable {
    /// The bytes of its id as it is served.
    package let id: [UInt8]
    /// Its depth in the first run that was posted last; its position if none was posted.
    package let depth: Int64
    /// The first step from which on the values diverge at every step that has both; `nil` if they do not at the last.
    package let firstDivergence: Int64?
    /// Its index among the layers in order of appearance.
    let place: Int
}

/// The layers of two runs while their steps are read.
struct LayerPairs {
    /// A layer of one or both runs.
    private struct Pair {
        let id: [UInt8]
        /// Whether the first and the second run have posted a value.
        var isPosted: InlineArray<2, Bool> = [false, false]
        var divergence: Int64 = -1
    }

    private let factor: Double
    private var pairs: [Pair] = []
    private var places: [ArraySlice<UInt8>: Int] = [:]
    /// The values of the first run in the latest step, by place, and the step they are of.
    private var values: [Double] = []
    private var valueSteps: [Int64] = []

    init(factor: Double) { self.factor = factor }

    /// The places of the layers of a table; -1 for a layer whose id an earlier one has.
    mutating func places(of table: LayerTable) -> [Int] {
        var seen: Set<Int> = []
        return (0..<table.layout.layerCount).map { layer in
            let place = place(of: table.layout.idBytes(layer))
            return seen.insert(place).inserted ? place : -1
        }
    }

    private mutating func place(of id: ArraySlice<UInt8>) -> Int {
        if let place = places[id] { return place }
        let bytes = Array(id)
        places[bytes[...]] = pairs.count
        pairs.append(Pair(id: bytes))
        values.append(MissingValue.number)
        valueSteps.append(-1)
        return pairs.count - 1
    }

    /// Notes the values of a step of the first run.
    mutating func noteFirst(_ record: StepRecord, _ places: [Int], _ metric: StepMetric) {
        for layer in 0..<record.layerCount where places[layer] >= 0 {
            let value = metric.value(record, layer: layer)
            if MissingValue.isMissing(value) { continue }
            let place = places[layer]
            pairs[place].isPosted[0] = true
            values[place] = value
            valueSteps[place] = record.step
        }
    }

    /// Notes the values of a step of the second run, and compares them with those of the same step of the first run,
    /// which must have been noted before.
    mutating func noteSecond(_ record: StepRecord, _ places: [Int], _ metric: StepMetric) {
        for layer in 0..<record.layerCount where places[layer] >= 0 {
            let value = metric.value(record, layer: layer)
            if MissingValue.isMissing(value) { continue }
            let place = places[layer]
            pairs[place].isPosted[1] = true
            guard valueSteps[place] == record.step else { continue }
            if !LayerRatio.isBeyond(values[place], value, factor: factor) {
                pairs[place].divergence = -1
            } else if pairs[place].divergence < 0 {
                pairs[place].divergence = record.step
            }
        }
    }

    /// The layers that both runs have: by first divergence, then by depth, then in order of appearance.
    ///
    /// - Parameter layers: those of the first run, with their depths.
    /// - Returns: the layers.
    func common(_ layers: RunLayers) -> [ComparedLayer] {
        pairs.enumerated().filter { $0.element.isPosted[0] && $0.element.isPosted[1] }
            .map { place, pair in
                ComparedLayer(
                    id: pair.id, depth: layers[pair.id[...]]?.depth ?? Int64(place),
                    firstDivergence: pair.divergence < 0 ? nil : pair.divergence, place: place)
            }
            .sorted { left, right in
                (left.firstDivergence ?? .max, left.depth, left.place)
                    < (right.firstDivergence ?? .max, right.depth, right.place)
            }
    }

    /// The ids of the layers that only one run has, by depth, then in order of appearance.
    ///
    /// - Parameters:
    ///   - run: 0 for the first run, 1 for the second.
    ///   - layers: those of this run, with their depths.
    /// - Returns: the ids.
    func only(in run: Int, _ layers: RunLayers) -> [[UInt8]] {
        pairs.enumerated().filter { $0.element.isPosted[run] && !$0.element.isPosted[1 - run] }
            .map { place, pair in (depth: layers[pair.id[...]]?.depth ?? Int64(place), place: place, id: pair.id) }
            .sorted { ($0.depth, $0.place) < ($1.depth, $1.place) }
            .map(\.id)
    }
}
