package import Foundations

/// A run without its steps, as it was at one moment (RUN of the open wire).
package struct RunDescription: Sendable {
    /// The run's id, as it was posted.
    package let id: RunID
    /// When the run began; never changes.
    package let createdAt: UTCTime
    /// When the run was changed last.
    package let lastUpdate: UTCTime
    /// The number of steps held.
    package let stepCount: Int
    /// The lowest step held; `nil` if none is.
    package let firstStep: Int64?
    /// The highest step held; `nil` if none is.
    package let lastStep: Int64?
    /// The number of the last accepted step.
    package let lastSeq: UInt64
    /// Whether the training goes on, and nothing came for much longer than usual.
    package let isSilent: Bool
    /// Everything else.
    package let details: RunDetails

    init(_ run: Run, id: RunID, at now: UTCTime) {
        self.id = id
        createdAt = run.createdAt
        lastUpdate = run.lastUpdate
        stepCount = run.steps.count
        firstStep = run.steps.first?.step
        lastStep = run.steps.last?.step
        lastSeq = run.lastSeq
        isSilent = run.details.isSilent(at: now)
        details = run.details
    }
}

/// Which runs a listing has.
package struct RunFilter: Sendable {
    /// The project; `nil` for any.
    package var project: ByteString?
    /// The group; `nil` for any.
    package var group: ByteString?
    /// All of these tags.
    package var tags: [ByteString] = []
    /// The state; `nil` for any.
    package var state: RunState?
    /// Text that the id, the name or a tag contains, in any case; empty for any.
    package var text = ""
    /// Only runs that were updated before; `nil` for all.
    package var before: UTCTime?
    /// The largest number of runs.
    package var limit = 100

    /// All runs, at most 100.
    package init() {}

    /// Whether a run fits, except for `text` and `before`.
    func matches(_ info: RunInfo) -> Bool {
        if let state, info.state != state { return false }
        if let project, info.project?.elementsEqual(project.text.utf8) != true { return false }
        if let group, info.group?.elementsEqual(group.text.utf8) != true { return false }
        return tags.allSatisfy { tag in info.tags.contains { $0.elementsEqual(tag.text.utf8) } }
    }

    /// Whether the id, the name or a tag contains `text`, in any case.
    func finds(_ run: RunDescription, _ lowercased: [UInt8]) -> Bool {
        if lowercased.isEmpty { return true }
        let info = run.details.info
        if Self.contains(run.id.text, lowercased) { return true }
        if let name = info.name, Self.contains(String(decoding: name, as: UTF8.self), lowercased) { return true }
        return info.tags.contains { Self.contains(String(decoding: $0, as: UTF8.self), lowercased) }
    }

    private static func contains(_ text: String, _ lowercased: [UInt8]) -> Bool {
        let text = Array(text.lowercased().utf8)
        guard text.count >= lowercased.count else { return false }
        return (0...text.count - lowercased.count).contains { start in
            text[start] == lowercased[0] && text[start..<start + lowercased.count].elementsEqual(lowercased)
        }
    }
}

/// A part of the listing of runs, the last updated one first.
package struct RunPage: Sendable {
    /// The runs.
    package let runs: [RunDescription]
    /// `RunFilter.before` for the next part; `nil` at the end.
    package let next: UTCTime?

    /// - Parameters:
    ///   - runs: the runs.
    ///   - next: `RunFilter.before` for the next part; `nil` at the end.
    package init(runs: [RunDescription], next: UTCTime?) {
        self.runs = runs
        self.next = next
    }

    /// Picks the runs that a filter finds.
    ///
    /// - Parameters:
    ///   - candidates: runs that match the filter except for its text, the last updated one first.
    ///   - filter: the filter.
    init(_ candidates: [RunDescription], _ filter: RunFilter) {
        let text = Array(filter.text.lowercased().utf8)
        var found: [RunDescription] = []
        for run in candidates where filter.finds(run, text) {
            if found.count == filter.limit {
                self.init(runs: found, next: found.last?.lastUpdate)
                return
            }
            found.append(run)
        }
        self.init(runs: found, next: nil)
    }
}
