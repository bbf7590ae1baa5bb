import MonitorCore

/// A posted number of a layer is NaN or infinite: critical at once.
///
/// The origin is the first layer in depth order among non-finite weights; else among activations; else the last among
/// gradients, since gradients travel from the last layer to the first.
struct NonFinite: HealthRule {
    static let id = RuleID.nonFinite
    static let inputNames: [String] = []
    static let parameters: [RuleParameter<NonFinite>] = []
    var isEnabled = true
}

/// `NonFinite` on all layers of a run. Steps without such a number cost one pass over the numbers.
struct NonFiniteRunner: Sendable {
    /// The settings: for all layers, then for patterns of layers.
    var rules = [NonFinite()]
    private var tracks: [Track] = []
    private var openCount = 0

    /// Bytes of the states.
    var memory: Int { tracks.heapBytes }

    /// Judges a step.
    mutating func judge(_ values: StepValues, _ layers: LayerIndex, _ run: RunState, into findings: inout StepFindings)
    {
        if values.record.layerCount > 0 { findings.hasJudged = true }
        guard openCount > 0 || values.hasNonFinite else { return }
        while tracks.count < layers.layers.count { tracks.append(Track()) }
        let step = values.record.step
        for position in layers.positions.indices {
            let number = Int(layers.positions[position])
            guard number >= 0, tracks[number].mayJudge(step) else { continue }
            let isEnabled = rules[layers.layers[number].variant].isEnabled
            let column = isEnabled ? Self.column(values, position, run) : nil
            let change = tracks[number].note(
                Judgement(isCritical: column != nil, isAbnormal: column != nil), step: step, gap: 1)
            switch change {
            case .none: continue
            case .opened: openCount += 1
            case .closed: openCount -= 1
            case .continued: break
            }
            findings.changes.append(
                .init(
                    rule: .nonFinite, layer: number, change: change, track: tracks[number],
                    finding: column.map { Self.finding($0, values, position) },
                    kind: column.map { values.columns.kinds[$0] } ?? .activation))
        }
    }

    /// The first column in the order of kinds with a number that is not finite.
    private static func column(_ values: StepValues, _ position: Int, _ run: RunState) -> Int? {
        var found: Int?
        for (column, kind) in values.columns.kinds.enumerated() {
            let value = values.value(column: column, position)
            guard !value.isFinite, !MissingValue.isMissing(value), kind != .gradient || !run.isSkipped else { continue }
            if found.map({ kind < values.columns.kinds[$0] }) ?? true { found = column }
        }
        return found
    }

    private static func finding(_ column: Int, _ values: StepValues, _ position: Int) -> Finding {
        let name = String(decoding: values.record.columns.layout.metricName(column), as: UTF8.self)
        let value = values.value(column: column, position)
        return Finding(
            metric: name, value: value, comparison: .notFinite, inputs: [Alert.Input(name: name, value: value)])
    }

    /// The number of layers of a step that have a metric of a kind.
    static func count(of kind: MetricKind, _ values: StepValues) -> Int {
        (0..<values.record.layerCount).count { position in
            values.columns.kinds.indices.contains { column in
                values.columns.kinds[column] == kind && !MissingValue.isMissing(values.value(column: column, position))
            }
        }
    }

    /// Forgets all states; `isOpen` says for which layers an alert stays open.
    mutating func reset(isOpen: (Int) -> Bool) {
        for number in tracks.indices { tracks[number] = .continuing(isOpen(number)) }
        openCount = tracks.indices.count { isOpen($0) }
    }
}
