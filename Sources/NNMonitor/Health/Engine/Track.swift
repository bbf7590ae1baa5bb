import MonitorCore

/// The finding of a rule on one layer, or on the run, over the reports.
struct Track: Sendable {
    /// What a report means for the finding.
    enum Change: Sendable, Equatable {
        /// Nothing changed.
        case none
        /// It becomes an alert.
        case opened(AlertLevel)
        /// The alert goes on, perhaps with a higher severity.
        case continued(AlertLevel?)
        /// The alert ends.
        case closed

        /// The severity by which the report is described; `nil` where nothing is abnormal.
        var level: AlertLevel? {
            switch self {
            case .opened(let level): level
            case .continued(let level): level ?? .warning
            case .none, .closed: nil
            }
        }
    }

    /// The last judged step; -1 for none.
    private(set) var lastStep: Int64 = -1
    /// The step at which the present values became abnormal.
    private(set) var firstStep: Int64 = 0
    /// The number of abnormal reports since then.
    private(set) var abnormalReports: Int32 = 0
    /// The number of reports.
    private(set) var reports: Int32 = 0
    private var cleanReports = Self.closingReports
    private var isOpen = false
    /// The number of clean reports that end an alert.
    private static let closingReports: UInt8 = 10

    /// Whether a step is above all that were judged.
    func mayJudge(_ step: Int64) -> Bool { step > lastStep }

    /// Notes a report.
    ///
    /// - Parameters:
    ///   - judgement: what the rule finds.
    ///   - step: the step.
    ///   - gap: the number of clean reports after which an abnormal one begins another streak.
    /// - Returns: what it means.
    mutating func note(_ judgement: Judgement, step: Int64, gap: Int) -> Change {
        lastStep = step
        reports &+= 1
        guard judgement.isAbnormal else {
            if cleanReports == Self.closingReports { return .none }
            cleanReports += 1
            guard isOpen, cleanReports == Self.closingReports else { return .none }
            isOpen = false
            return .closed
        }
        if cleanReports >= gap, !isOpen {
            firstStep = step
            abnormalReports = 0
        }
        cleanReports = 0
        abnormalReports &+= 1
        if isOpen { return .continued(judgement.level) }
        guard let level = judgement.level else { return .none }
        isOpen = true
        return .opened(level)
    }

    /// Ends the finding because its rule was turned off.
    ///
    /// - Returns: whether there was an alert.
    mutating func end() -> Bool {
        defer { self = Track() }
        return isOpen
    }

    /// A track that knows nothing but an alert of before.
    static func continuing(_ isOpen: Bool) -> Track {
        var track = Track()
        track.isOpen = isOpen
        if isOpen { track.cleanReports = 0 }
        return track
    }
}
