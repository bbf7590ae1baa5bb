import MonitorCore

/// What a rule finds in one report.
struct Judgement: Sendable {
    /// The severity that the rule's durations allow for this report; `nil` while it is too early, or nothing is wrong.
    var level: AlertLevel?
    /// Whether the value is abnormal, which begins or continues a finding.
    var isAbnormal: Bool

    /// Nothing is wrong.
    static let clean = Judgement(level: nil, isAbnormal: false)

    /// A judgement from what holds for long enough.
    ///
    /// - Parameters:
    ///   - isWarning: whether a warning is due.
    ///   - isCritical: whether a critical alert is due.
    ///   - isAbnormal: whether the value of this report is abnormal.
    init(isWarning: Bool = false, isCritical: Bool = false, isAbnormal: Bool) {
        level = isCritical ? .critical : isWarning ? .warning : nil
        self.isAbnormal = isAbnormal
    }

    private init(level: AlertLevel?, isAbnormal: Bool) {
        self.level = level
        self.isAbnormal = isAbnormal
    }
}

/// What people want to know of a finding.
struct Finding: Sendable {
    /// The metric or scalar that is judged.
    var metric: String
    /// Its value.
    var value: Double
    /// How it relates to the threshold.
    var comparison: Alert.Comparison
    /// The threshold: one, or two for `outside`.
    var threshold: [Double] = []
    /// What it was before.
    var baseline = MissingValue.number
    /// The values that the rule read.
    var inputs: [Alert.Input] = []
    /// Optional inputs that were not posted.
    var inputsMissing: [String] = []
}

/// A number of a rule that the settings can change.
struct RuleParameter<Rule: Sendable>: Sendable {
    /// What it is.
    enum Place: Sendable {
        /// A threshold.
        case number(any WritableKeyPath<Rule, Double> & Sendable)
        /// A number of reports.
        case reports(any WritableKeyPath<Rule, Int> & Sendable)
    }

    /// The key in the settings.
    let name: String
    /// Where it is.
    let place: Place

    /// A threshold.
    static func number(_ name: String, _ path: any WritableKeyPath<Rule, Double> & Sendable) -> RuleParameter {
        RuleParameter(name: name, place: .number(path))
    }

    /// A number of reports.
    static func reports(_ name: String, _ path: any WritableKeyPath<Rule, Int> & Sendable) -> RuleParameter {
        RuleParameter(name: name, place: .reports(path))
    }
}

/// A rule: thresholds and formulas, without state or I/O.
protocol HealthRule: Sendable {
    /// Which rule.
    static var id: RuleID { get }
    /// The numbers that the settings can change.
    static var parameters: [RuleParameter<Self>] { get }
    /// The metrics and scalars that it reads, as `GET .../health` names them.
    static var inputNames: [String] { get }
    /// The number of reports before it can judge.
    static var warmUp: Int { get }
    /// Whether it is on.
    var isEnabled: Bool { get set }

    /// The defaults.
    init()
}

extension HealthRule {
    static var warmUp: Int { 0 }
}

/// A rule that judges each layer. Its state has a constant size, and a report costs constant work.
protocol LayerRule: HealthRule {
    /// What it remembers of a layer.
    associatedtype State: Sendable
    /// Recognises clean reports by few instructions.
    associatedtype Screen: LayerScreen where Screen.State == State
    /// The state of a layer before its first report.
    static var start: State { get }
    /// Whether a step has columns from which it can judge.
    static func reads(_ columns: StepColumns, _ run: RunState) -> Bool
    /// Whether no condition held in the last report, so that a clean report ends no streak.
    static func isResting(_ state: State) -> Bool

    /// Prepares the screen of a step.
    ///
    /// - Parameters:
    ///   - rules: the rule as it is set for some layers or others. All of them are enabled.
    ///   - values: the numbers of the step.
    ///   - run: what is known of the run.
    /// - Returns: the screen; `nil` if each layer must be judged by `judge`.
    static func screen(_ rules: [Self], _ values: StepValues, _ run: RunState) -> Screen?

    /// Judges a layer in a step.
    ///
    /// - Parameters:
    ///   - layer: the layer.
    ///   - position: its position in the step.
    ///   - values: the numbers of the step.
    ///   - run: what is known of the run.
    ///   - state: what it remembers of the layer.
    /// - Returns: what it finds; `nil` if the step is no report of this layer.
    func judge(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: inout State
    ) -> Judgement?

    /// Describes an abnormal report.
    func describe(
        _ layer: LayerFacts, _ position: Int, _ values: StepValues, _ run: RunState, _ state: State,
        _ level: AlertLevel
    ) -> Finding
}

/// What a screen finds in one report.
enum Screened {
    /// The report is clean, and the state is as `LayerRule.judge` leaves it.
    case clean
    /// The step is no report of this layer.
    case noReport
    /// `LayerRule.judge` must decide. The state is as before.
    case unclear
}

/// Recognises the reports of one step that are clean whichever thresholds apply to the layer.
///
/// Nearly all reports are, so a screen decides what a step costs. It judges only layers that rest: see `LayerEntry`.
protocol LayerScreen<State>: BitwiseCopyable {
    /// What the rule remembers of a layer.
    associatedtype State

    /// Judges a layer.
    ///
    /// - Parameters:
    ///   - position: its position in the step.
    ///   - numbers: the numbers of the step.
    ///   - logarithms: `StepValues.logarithms`.
    ///   - layers: the layers of the run.
    ///   - number: the number of the layer.
    ///   - state: what the rule remembers of it.
    /// - Returns: what it finds.
    func judge(
        _ position: Int, _ numbers: Span<Double>, _ logarithms: Span<Double>, _ layers: Span<LayerFacts>, _ number: Int,
        _ state: inout State
    ) -> Screened
}

/// The screen of a rule that has none.
struct NoScreen<State>: LayerScreen {
    func judge(
        _ position: Int, _ numbers: Span<Double>, _ logarithms: Span<Double>, _ layers: Span<LayerFacts>, _ number: Int,
        _ state: inout State
    ) -> Screened { .unclear }
}

extension LayerRule where Screen == NoScreen<State> {
    static func isResting(_ state: State) -> Bool { true }
    static func screen(_ rules: [Self], _ values: StepValues, _ run: RunState) -> NoScreen<State>? { nil }
}

extension Double {
    /// Whether it is finite and above 0, by one comparison of its bits: 4 instructions. From comparisons of numbers the
    /// compiler makes 16.
    @inline(__always)
    var isPositiveFinite: Bool { bitPattern &- 1 < Double.infinity.bitPattern - 1 }
}

extension Sequence {
    /// The least of a number of each element; infinity if there are no elements.
    func least(_ number: (Element) -> Double) -> Double { reduce(.infinity) { Swift.min($0, number($1)) } }

    /// The largest of a number of each element; minus infinity if there are no elements.
    func largest(_ number: (Element) -> Double) -> Double { reduce(-.infinity) { Swift.max($0, number($1)) } }
}

/// A rule that judges the run as a whole.
protocol RunRule: HealthRule {
    /// What it remembers of the run.
    associatedtype State: Sendable
    /// The state of a run before its first report.
    static var start: State { get }

    /// Judges a step; `nil` if it is no report.
    func judge(_ values: StepValues, _ run: RunState, _ state: inout State) -> Judgement?

    /// Describes an abnormal report.
    func describe(_ values: StepValues, _ run: RunState, _ state: State, _ level: AlertLevel) -> Finding
}

extension StepValues {
    /// Metrics of a layer as inputs of a finding.
    func inputs(_ metrics: [Metric], _ position: Int) -> [Alert.Input] {
        metrics.filter { columns.has($0) }.map { Alert.Input(name: $0.name, value: value($0, position)) }
    }
}
