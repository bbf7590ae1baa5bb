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

/// What a rule knows of a layer.
struct LayerEntry<State: Sendable>: Sendable {
    var state: State
    var track = Track()
    /// Whether a clean report changes nothing but numbers: no alert is open, no streak runs, the last ten reports were
    /// clean.
    var isResting = true
}

/// A rule on all layers of a run.
struct LayerRuleRunner<Rule: LayerRule>: Sendable {
    /// The settings: for all layers, then for patterns of layers.
    var rules = [Rule()]
    private var entries: [LayerEntry<Rule.State>] = []

    /// Bytes of the states. A rule whose inputs were never posted has none.
    var memory: Int { entries.heapBytes }

    /// The largest number of reports of a layer.
    var reports: Int { Int(entries.lazy.map(\.track.reports).max() ?? 0) }

    /// The number of layers in a step without a report of this rule.
    func missing(_ positions: [Int32]) -> Int {
        positions.reduce(0) { $0 + ($1 < 0 || (Int($1) < entries.count && entries[Int($1)].track.reports > 0) ? 0 : 1) }
    }

    /// Judges a step: most layers by the screen, which costs few instructions, and the others by the rule.
    mutating func judge(
        _ values: StepValues, _ layers: LayerIndex, _ run: RunState, usesScreens: Bool,
        into findings: inout StepFindings
    ) {
        guard Rule.reads(values.columns, run) else { return }
        if entries.isEmpty { entries.reserveCapacity(layers.layers.count) }
        while entries.count < layers.layers.count { entries.append(LayerEntry(state: Rule.start)) }
        let step = values.record.step
        let (facts, positions, rules) = (layers.layers.span, layers.positions.span, rules)
        var entries = entries.mutableSpan
        guard usesScreens, rules.allSatisfy(\.isEnabled), let screen = Rule.screen(rules, values, run) else {
            for position in positions.indices {
                let number = Int(positions[position])
                guard number >= 0, entries[number].track.mayJudge(step) else { continue }
                let layer = facts[number]
                Self.judge(number, layer, position, values, run, rules[layer.variant], &entries[number], &findings)
            }
            return
        }
        let (numbers, logarithms) = (values.numbers.span, values.logarithms.span)
        precondition(entries.count >= facts.count && positions.count == values.record.layerCount)
        var position = 0
        while position < positions.count {
            defer { position &+= 1 }
            // Memory: the position is one of the step, and each number is that of a layer, which has an entry.
            let number = unsafe Int(positions[unchecked: position])
            guard number >= 0, unsafe entries[unchecked: number].track.mayJudge(step) else { continue }
            if unsafe entries[unchecked: number].isResting {
                let screened = unsafe screen.judge(
                    position, numbers, logarithms, facts, number, &entries[unchecked: number].state)
                if screened == .clean { unsafe entries[unchecked: number].track.noteClean(step: step) }
                if screened != .unclear { continue }
            }
            let layer = facts[number]
            Self.judge(number, layer, position, values, run, rules[layer.variant], &entries[number], &findings)
        }
    }

    /// Judges a layer by the rule itself.
    @inline(never)
    private static func judge(
        _ number: Int, _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ rule: Rule,
        _ entry: inout LayerEntry<Rule.State>, _ findings: inout StepFindings
    ) {
        defer { entry.isResting = entry.track.isResting && Rule.isResting(entry.state) }
        guard rule.isEnabled else {
            if entry.track.end() { findings.note(.closed, of: Rule.id, number, Track(), nil) }
            return
        }
        guard let judgement = rule.judge(layer, position, values, run, &entry.state) else { return }
        let change = entry.track.note(judgement, step: values.record.step, gap: Rule.gap)
        if change == .none { return }
        let finding = change.level.map { rule.describe(layer, position, values, run, entry.state, $0) }
        findings.note(change, of: Rule.id, number, entry.track, finding)
    }

    /// Forgets all states; `isOpen` says for which layers an alert stays open.
    mutating func reset(isOpen: (Int) -> Bool) {
        for number in entries.indices {
            let track = Track.continuing(isOpen(number))
            entries[number] = LayerEntry(state: Rule.start, track: track, isResting: track.isResting)
        }
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
