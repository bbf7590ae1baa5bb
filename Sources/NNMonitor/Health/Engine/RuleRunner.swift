import MonitorCore

/// The findings of one step, on their way to the alerts.
struct StepFindings {
    /// A change of a finding.
    struct Change {
        let rule: RuleID
        /// The number of the layer; -1 for the run.
        let layer: Int
        let change: Track.Change
        let track: Track
        /// What was found; `nil` where an alert ends.
        let finding: Finding?
        /// What the metric is measured on.
        var kind = MetricKind.activation
    }

    /// The changes, rule by rule.
    var changes: [Change] = []
    /// Whether a rule has judged.
    var hasJudged = false

    mutating func note(_ change: Track.Change, of rule: RuleID, _ layer: Int, _ track: Track, _ finding: Finding?) {
        changes.append(Change(rule: rule, layer: layer, change: change, track: track, finding: finding))
    }
}

/// A rule on all layers of a run.
struct LayerRuleRunner<Rule: LayerRule>: Sendable {
    /// The settings: for all layers, then for patterns of layers.
    var rules = [Rule()]
    private var entries: [(state: Rule.State, track: Track)] = []

    /// Bytes of the states. A rule whose inputs were never posted has none.
    var memory: Int { entries.capacity * MemoryLayout<(Rule.State, Track)>.stride }

    /// The largest number of reports of a layer.
    var reports: Int { Int(entries.lazy.map(\.track.reports).max() ?? 0) }

    /// The number of layers in a step without a report of this rule.
    func missing(_ positions: [Int32]) -> Int {
        positions.reduce(0) { $0 + ($1 < 0 || (Int($1) < entries.count && entries[Int($1)].track.reports > 0) ? 0 : 1) }
    }

    /// Judges a step.
    mutating func judge(_ values: StepValues, _ layers: LayerIndex, _ run: RunState, into findings: inout StepFindings)
    {
        guard Rule.reads(values.columns) else { return }
        while entries.count < layers.layers.count { entries.append((Rule.start, Track())) }
        let step = values.record.step
        let (rules, first, hasVariants) = (rules, rules[0], rules.count > 1)
        let (facts, positions, inputs) = (layers.layers.span, layers.positions.span, values.inputs.span)
        var entries = entries.mutableSpan
        for position in positions.indices {
            let number = Int(positions[position])
            guard number >= 0, entries[number].track.mayJudge(step) else { continue }
            let layer = facts[number]
            let rule = hasVariants ? rules[layer.variant] : first
            guard rule.isEnabled else {
                if entries[number].track.end() { findings.note(.closed, of: Rule.id, number, Track(), nil) }
                continue
            }
            guard let judgement = rule.judge(layer, inputs[position], position, values, run, &entries[number].state)
            else { continue }
            findings.hasJudged = true
            let change = entries[number].track.note(judgement, step: step, gap: Rule.gap)
            if change == .none { continue }
            let state = entries[number].state
            let finding = change.level.map { rule.describe(layer, position, values, run, state, $0) }
            findings.note(change, of: Rule.id, number, entries[number].track, finding)
        }
    }

    /// Forgets all states; `isOpen` says for which layers an alert stays open.
    mutating func reset(isOpen: (Int) -> Bool) {
        for number in entries.indices { entries[number] = (Rule.start, .continuing(isOpen(number))) }
    }
}

extension LayerRule {
    /// The number of clean reports after which an abnormal one begins another streak.
    static var gap: Int { State.self == ExplosionState.self ? 10 : 1 }
}

/// A rule on the run.
struct RunRuleRunner<Rule: RunRule>: Sendable {
    /// The settings.
    var rule = Rule()
    private var state = Rule.start
    private var track = Track()

    /// The number of reports.
    var reports: Int { Int(track.reports) }

    /// Judges a step.
    mutating func judge(_ values: StepValues, _ run: RunState, into findings: inout StepFindings) {
        guard track.mayJudge(values.record.step) else { return }
        guard rule.isEnabled else {
            if track.end() {
                findings.note(.closed, of: Rule.id, -1, Track(), nil)
            }
            return
        }
        guard let judgement = rule.judge(values, run, &state) else { return }
        findings.hasJudged = true
        let change = track.note(judgement, step: values.record.step, gap: State.self == ExplosionState.self ? 10 : 1)
        if change == .none { return }
        let finding = change.level.map { rule.describe(values, run, state, $0) }
        findings.note(change, of: Rule.id, -1, track, finding)
    }

    private typealias State = Rule.State

    /// Forgets the state.
    mutating func reset(isOpen: Bool) { (state, track) = (Rule.start, .continuing(isOpen)) }
}
