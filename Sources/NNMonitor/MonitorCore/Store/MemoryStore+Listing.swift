/// The listing of runs by filters.
///
/// There may be 100 000 runs, so the store's actor looks at a bounded number of them in one call, and text is searched
/// outside of the actor. A run that is updated meanwhile moves to the beginning of the order and may be missing, as
/// between two parts of the listing.
extension MemoryStore {
    /// The largest number of runs that the actor looks at in one call.
    private static let runsPerCall = 256

    /// What a search needs of a run.
    struct Candidate: Sendable {
        let position: RunTable.UpdatePosition
        let name: [UInt8]?
        let tags: [[UInt8]]
    }

    /// A part of the listing of runs, the last updated one first.
    package nonisolated func runs(matching filter: RunFilter) async -> RunPage {
        let search = TextSearch(filter.text)
        var found: [RunDescription] = []
        var next = filter.before
        var position: RunTable.UpdatePosition?
        while true {
            let (candidates, last) = await candidates(filter, after: position)
            let matching = candidates.lazy.filter { search.finds(id: $0.position.id, name: $0.name, tags: $0.tags) }
                .prefix(filter.limit + 1 - found.count).map(\.position)
            for part in await descriptions(of: Array(matching)) {
                if found.count == filter.limit { return RunPage(runs: found, next: next) }
                found.append(part.run)
                next = part.position.lastUpdate
            }
            guard let last else { return RunPage(runs: found, next: nil) }
            position = last
        }
    }

    /// The runs that match a filter except for its text, among the next ones in the order of updates.
    ///
    /// - Parameters:
    ///   - filter: the filter.
    ///   - position: the last run of the call before; `nil` in the first call.
    /// - Returns: the runs, and the last run that was looked at; `nil` at the end.
    func candidates(
        _ filter: RunFilter, after position: RunTable.UpdatePosition?
    ) -> (candidates: [Candidate], last: RunTable.UpdatePosition?) {
        let part = runs.updatedLast(before: filter.before, after: position, limit: Self.runsPerCall)
        let candidates = part.compactMap { position in
            let info = runs.info(of: position.slot)
            return filter.matches(info) ? Candidate(position: position, name: info.name, tags: info.tags) : nil
        }
        return (candidates, part.count < Self.runsPerCall ? nil : part.last)
    }

    /// The runs at some positions, without those that were removed meanwhile.
    private func descriptions(
        of positions: [RunTable.UpdatePosition]
    ) -> [(position: RunTable.UpdatePosition, run: RunDescription)] {
        let now = currentTime
        return positions.compactMap { position in
            runs.slot(of: position.id).map { (position, RunDescription(runs[$0], id: position.id, at: now)) }
        }
    }
}
