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
}

/// Searches for a text in any case.
struct TextSearch: Sendable {
    private let text: [UInt8]

    /// - Parameter text: the text; empty finds every run.
    init(_ text: String) { self.text = Array(text.lowercased().utf8) }

    /// Whether the id, the name or a tag of a run contains the text.
    func finds(id: RunID, name: [UInt8]?, tags: [[UInt8]]) -> Bool {
        if text.isEmpty || isContained(in: id.text) { return true }
        if let name, isContained(in: String(decoding: name, as: UTF8.self)) { return true }
        return tags.contains { isContained(in: String(decoding: $0, as: UTF8.self)) }
    }

    private func isContained(in whole: String) -> Bool {
        let whole = Array(whole.lowercased().utf8)
        guard whole.count >= text.count else { return false }
        return (0...whole.count - text.count).contains { start in
            whole[start] == text[0] && whole[start..<start + text.count].elementsEqual(text)
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
}
