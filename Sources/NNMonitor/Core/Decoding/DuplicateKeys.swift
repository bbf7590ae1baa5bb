/// The rule for keys that come twice in a dictionary: the last value wins, at the place of the first.
enum DuplicateKeys {
    /// - Returns: for each distinct key, in order of first appearance, the index of its last; `nil` when all differ.
    static func lastOfEach(count: Int, key: (Int) -> ArraySlice<UInt8>) -> [Int]? {
        // Few keys are compared in pairs, without allocating; many through a table.
        if count <= 16 {
            let hasDuplicate = (0..<count).contains { index in (0..<index).contains { key($0) == key(index) } }
            if !hasDuplicate { return nil }
        }
        var places: [ArraySlice<UInt8>: Int] = [:]
        var last: [Int] = []
        for index in 0..<count {
            if let place = places[key(index)] {
                last[place] = index
            } else {
                places[key(index)] = last.count
                last.append(index)
            }
        }
        return last.count == count ? nil : last
    }
}

/// What is wrong inside a dictionary, by occurrence of a key, until it is known which occurrences count.
struct KeyedIssues {
    private var entries: [(kind: PayloadIssue.Kind, occurrence: Int, index: Int?)] = []

    mutating func add(_ kind: PayloadIssue.Kind, occurrence: Int, index: Int? = nil) {
        entries.append((kind, occurrence, index))
    }

    /// Forgets what is wrong with occurrences that a later one replaced.
    mutating func keep(_ occurrences: [Int]) {
        if entries.isEmpty { return }
        let kept = Set(occurrences)
        entries.removeAll { !kept.contains($0.occurrence) }
    }

    func report(to issues: inout IssueList, _ place: PayloadPlace, key: (Int) -> String) {
        for entry in entries {
            issues.add(
                entry.kind, place, below: [.key(key(entry.occurrence))] + (entry.index.map { [.index($0)] } ?? []))
        }
    }
}
