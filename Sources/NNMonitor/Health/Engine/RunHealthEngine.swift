import Foundations
package import MonitorCore

/// Judges the steps of one run by all rules, and keeps what they found.
///
/// The work for a step is constant for each layer, and so is the state: see `memory`.
package struct RunHealthEngine: RunObserver {
    private let settings: HealthRulesInUse
    private let maximumLayers: Int
    private var version: UInt64 = 0
    private var project = ""
    private var scope = HealthRules.Scope()
    private(set) var runners = RuleRunners()
    private var layers = LayerIndex()
    private var run = RunState()
    private var book = AlertBook()
    private var columns: (table: ColumnTable, columns: StepColumns)?
    private var seen = SeenInputs()
    private var moment: HealthReport.Moment?
    private var reports = 0
    private var hasLayers = false
    private var hasJudged = false
    private var isBelowKeptSteps = false
    /// Memory for the logarithms of a step, which is used again.
    private var scratch: [Double] = []

    /// - Parameters:
    ///   - settings: the settings of the rules.
    ///   - maximumLayers: the largest number of layers that are judged.
    package init(_ settings: HealthRulesInUse, maximumLayers: Int = 10_000) {
        self.init(settings, maximumLayers: maximumLayers, usesScreens: true)
    }

    /// - Parameters:
    ///   - settings: the settings of the rules.
    ///   - maximumLayers: the largest number of layers that are judged.
    ///   - usesScreens: whether layers are screened. The findings are the same without: tests compare them.
    init(_ settings: HealthRulesInUse, maximumLayers: Int = 10_000, usesScreens: Bool) {
        self.settings = settings
        self.maximumLayers = maximumLayers
        runners.usesScreens = usesScreens
    }

    /// Bytes of the states, the layers and the alerts.
    package var memory: Int { 2_048 + layers.memory + runners.memory + book.memory + scratch.heapBytes }

    /// The numbers of open alerts.
    package var openAlerts: AlertCounts { book.counts }

    /// Judges an accepted step.
    package mutating func observe(
        _ step: StepRecord, isBelowKeptSteps: Bool, kept: StepSequence, context: RunContext
    ) -> HealthChanges {
        useSettings(context)
        let values = StepValues(step, columns(of: step.columns), reusing: takeScratch())
        defer { scratch = values.logarithms }
        var changes = HealthChanges()
        if isBelowKeptSteps, !self.isBelowKeptSteps { changes = restart(at: step) }
        self.isBelowKeptSteps = isBelowKeptSteps
        run.isHalfPrecision = context.isHalfPrecision
        seen.note(values)
        if step.layerCount > 0 {
            hasLayers = true
            let scope = scope
            layers.use(step.table, maximum: maximumLayers) { scope.variant($0) }
        }
        if hasLayers ? step.layerCount > 0 : values.columns.loss != nil { reports += 1 }
        run.note(values)
        var findings = StepFindings()
        runners.judge(values, layers, run, into: &findings)
        if findings.hasJudged { hasJudged = true }
        moment = HealthReport.Moment(step: step.step, seq: step.seq, time: step.timestamp)
        guard !findings.changes.isEmpty else { return changes }
        var evidence = Evidence(kept, before: step.step, scope.names)
        let found = book.take(findings, layers, at: bookMoment(step)) { metric, layer in
            evidence.points(metric, layer)
        } kindCount: { kind in
            NonFiniteRunner.count(of: kind, values)
        }
        changes.alerts += found.alerts
        changes.notices += found.notices
        return changes
    }

    /// Resets all rules, and closes the alerts that were opened at or after the step.
    package mutating func goBack(to step: Int64, lastSeq: UInt64, at time: UTCTime) -> HealthChanges {
        let seconds = Double(time.microseconds) / 1_000_000
        let changes = book.closeAll(
            from: step, at: AlertBook.Moment(step: step, seq: lastSeq, time: seconds, reports: reports))
        forget()
        return changes
    }

    /// Notes an alert of the trainer.
    package mutating func note(_ alert: PostedAlert, lastSeq: UInt64, at time: UTCTime) -> HealthChanges {
        book.note(alert, lastSeq: lastSeq, at: time)
    }

    /// The findings so far.
    package func report(context: RunContext) -> HealthReport {
        var report = HealthReport()
        report.moment = moment
        report.reports = reports
        report.hasJudged = hasJudged
        report.episodes = book.episodes
        report.alerts = book.alerts
        report.forgotten = book.forgotten
        report.rules = runners.report(seen, layers)
        return report
    }

    // MARK: Parts of a step

    private mutating func takeScratch() -> [Double] {
        defer { scratch = [] }
        return scratch
    }

    private func bookMoment(_ step: StepRecord) -> AlertBook.Moment {
        AlertBook.Moment(step: step.step, seq: step.seq, time: step.timestamp, reports: reports)
    }

    private mutating func useSettings(_ context: RunContext) {
        let version = settings.version
        guard version != self.version || context.project != project else { return }
        let current = settings.current
        (self.version, project) = (current.version, context.project)
        let scope = current.rules.scope(of: project)
        self.scope = scope
        runners.use(scope)
        layers.setVariants { scope.variant($0) }
        columns = nil
    }

    private mutating func columns(of table: ColumnTable) -> StepColumns {
        if let columns, columns.table === table { return columns.columns }
        let found = StepColumns(table.layout, scope.names)
        columns = (table, found)
        return found
    }

    /// The training has begun again.
    private mutating func restart(at step: StepRecord) -> HealthChanges {
        let changes = book.closeAll(from: nil, at: bookMoment(step))
        forget()
        return changes
    }

    private mutating func forget() {
        let book = book
        runners.reset { book.isOpen($0, $1) }
        run = RunState()
    }
}

/// Which inputs a run has posted so far.
struct SeenInputs: Sendable {
    private(set) var names: Set<String> = []
    private var columns: ColumnTable?

    mutating func note(_ values: StepValues) {
        guard columns !== values.record.columns else { return }
        columns = values.record.columns
        for metric in Metric.allCases where values.columns.has(metric) { names.insert(metric.name) }
        if values.columns.loss != nil { names.insert("loss") }
        if values.columns.gradNorm != nil { names.insert("grad_norm") }
        if !values.columns.learningRates.isEmpty { names.insert("lr") }
        if !values.columns.routers.isEmpty { names.insert("router_load") }
    }
}

/// Earlier values of metrics, for alerts that a step opens.
struct Evidence {
    private let kept: StepSequence
    private let step: Int64
    private let names: InterpretedNames
    private var records: [StepRecord]?
    private var left = Self.maximumAlerts
    /// The number of steps that are looked at, of values for one alert, and of alerts of one step that get them.
    private static let (maximumSteps, maximumPoints, maximumAlerts) = (32, 5, 100)

    init(_ kept: StepSequence, before step: Int64, _ names: InterpretedNames) {
        self.kept = kept
        self.step = step
        self.names = names
    }

    /// The last values before the step, ascending.
    mutating func points(_ metric: String, _ layer: ByteString?) -> [Alert.Point] {
        guard left > 0 else { return [] }
        left -= 1
        let records = self.records ?? kept.steps(below: step, limit: Self.maximumSteps)
        self.records = records
        var points: [Alert.Point] = []
        for record in records {
            guard let value = value(metric, layer, in: record), !MissingValue.isMissing(value) else { continue }
            points.append(Alert.Point(step: record.step, value: value))
            if points.count == Self.maximumPoints { break }
        }
        return points.reversed()
    }

    private func value(_ metric: String, _ layer: ByteString?, in record: StepRecord) -> Double? {
        let layout = record.columns.layout
        guard let layer else {
            let columns = StepColumns(layout, names)
            let index = metric == "loss" ? columns.loss : columns.gradNorm
            return index.map { record.scalar($0) }
        }
        guard let column = (0..<layout.metricCount).first(where: { layout.metricName($0).elementsEqual(metric.utf8) }),
            let position = LayerIndex.position(of: layer, in: record.table)
        else { return nil }
        return record.value(column: column, layer: position)
    }
}
