/// The errors inside a dictionary, grouped by key occurrence until it is known which occurrences count.
///
/// Bounded memory, because a payload may consist of nothing else: twelve bytes per entry, and per occurrence at most as
/// many entries as can be listed. Further errors of an occurrence sort after those, so they are only counted.
struct KeyedIssues {
    /// An error of a key, its value or a member of its value.
    enum Problem: UInt8 {
        case listExpected, stringExpected, numberExpected, notFinite, loneSurrogate

        fileprivate var kind: PayloadIssue.Kind {
            switch self {
            case .listExpected: .listExpected
            case .stringExpected: .stringExpected
            case .numberExpected: .numberExpected
            case .notFinite: .notFinite
            case .loneSurrogate: .loneSurrogate
            }
        }
    }

    private struct Entry {
        let occurrence: Int32
        /// The member's index; -1 for the key or the value itself.
        let index: Int32
        let problem: Problem
    }

    private var entries: [Entry] = []
    /// The number of errors of the last entry's occurrence.
    private var count = 0
    /// The occurrences with more errors than entries, and the number of additional errors.
    private var counted: [(occurrence: Int32, count: Int)] = []

    /// The number of entries.
    var size: Int { entries.count }

    mutating func add(_ problem: Problem, occurrence: Int, index: Int? = nil) {
        let occurrence = Int32(truncatingIfNeeded: occurrence)
        count = entries.last?.occurrence == occurrence ? count + 1 : 1
        if count <= IssueCollector.maximum {
            entries.append(
                Entry(occurrence: occurrence, index: Int32(truncatingIfNeeded: index ?? -1), problem: problem))
        } else if count == IssueCollector.maximum + 1 {
            counted.append((occurrence, 1))
        } else {
            counted[counted.count - 1].count += 1
        }
    }

    /// Removes the errors of occurrences that a later one replaced.
    mutating func keep(_ occurrences: [Int]) {
        if entries.isEmpty { return }
        let kept = Set(occurrences)
        entries.removeAll { !kept.contains(Int($0.occurrence)) }
        counted.removeAll { !kept.contains(Int($0.occurrence)) }
    }

    /// Adds the remaining errors to the list.
    ///
    /// - Parameters:
    ///   - issues: receives the errors.
    ///   - place: the position of the dictionary.
    ///   - key: the bytes of an occurrence's key. Called once per occurrence: its errors share the text, so many errors
    ///     below a long key do not copy the key.
    func report(to issues: inout IssueCollector, _ place: PayloadPlace, key: (Int) -> ArraySlice<UInt8>) {
        var occurrence: Int32 = -1
        var text = ""
        for entry in entries {
            if issues.isFull {
                issues.count(1)
                continue
            }
            if entry.occurrence != occurrence {
                occurrence = entry.occurrence
                text = PayloadIssue.Location.text(ofKey: key(Int(occurrence)))
            }
            let way: [PayloadIssue.Location] =
                entry.index < 0 ? [.key(text)] : [.key(text), .index(Int(entry.index))]
            issues.add(entry.problem.kind, place, below: way)
        }
        issues.count(counted.reduce(0) { $0 + $1.count })
    }
}
