import MonitorCore

/// What further reports change in an alert.
extension Alert {
    /// Takes another abnormal report.
    mutating func update(_ finding: Finding, rule: RuleID, hasEscalated: Bool, at moment: AlertBook.Moment) {
        if hasEscalated {
            severity = .critical
            escalatedStep = moment.step
        }
        lastStep = moment.step
        lastSeq = moment.seq
        lastAt = moment.time
        reports += 1
        value = finding.value
        metric = finding.metric
        if comparison == nil || hasEscalated || openedStep == moment.step {
            comparison = finding.comparison
            threshold = finding.threshold
            baseline = finding.baseline
            inputsMissing = finding.inputsMissing
            message = RuleText.message(rule, finding, since: firstStep ?? moment.step)
        }
        inputs = finding.inputs
        if isWorse(finding) {
            worstValue = finding.value
            worstStep = moment.step
        }
        if evidence.count < Alert.maximumEvidence {
            evidence.append(Alert.Point(step: moment.step, value: finding.value))
        }
    }

    private func isWorse(_ finding: Finding) -> Bool {
        if MissingValue.isMissing(worstValue) || worstStep == nil { return true }
        return switch finding.comparison {
        case .above: finding.value > worstValue
        case .below: finding.value < worstValue
        case .outside:
            abs(Self.order(finding.value, finding.threshold)) > abs(Self.order(worstValue, finding.threshold))
        case .equal, .notFinite: false
        }
    }

    /// How far a positive value is from the middle of two thresholds, in orders of magnitude.
    private static func order(_ value: Double, _ threshold: [Double]) -> Double {
        guard threshold.count == 2, value > 0 else { return .infinity }
        return Logarithm.of(value) - (Logarithm.of(threshold[0]) + Logarithm.of(threshold[1])) / 2
    }
}
