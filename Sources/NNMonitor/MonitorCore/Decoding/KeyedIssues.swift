/// What is wrong inside a dictionary, by occurrence of a key, until it is known which occurrences count.
///
/// Small, since a payload may consist of nothing else: twelve bytes for an issue, and for an occurrence no more issues
/// than can be listed. The others of the same occurrence come after those in every order, so they are only counted.
struct KeyedIssues {
    /// What can be wrong with a key, its value, or a member of its value.
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
        /// The member's position; -1 for the key or the value itself.
        let index: Int32
        let problem: Problem
    }

    private var entries: [Entry] = []
    /// How many issues the last entry's occurrence has.
    private var count = 0
    /// The occurrences that have more issues than entries, and how many more.
    private var counted: [(occurrence: Int32, count: Int)] = []

    /// Entries held.
    var size: Int { entries.count }

    mutating func add(_ problem: Problem, occurrence: Int, index: Int? = nil) {
        let occurrence = Int32(truncatingIfNeeded: occurrence)
        count = entries.last?.occurrence == occurrence ? count + 1 : 1
        if count <= IssueList.maximum {
            entries.append(
                Entry(occurrence: occurrence, index: Int32(truncatingIfNeeded: index ?? -1), problem: problem))
        } else if count == IssueList.maximum + 1 {
            counted.append((occurrence, 1))
        } else {
            counted[counted.count - 1].count += 1
        }
    }

    /// Forgets what is wrong with occurrences that a later one replaced.
    mutating func keep(_ occurrences: [Int]) {
        if entries.isEmpty { return }
        let kept = Set(occurrences)
        entries.removeAll { !kept.contains(Int($0.occurrence)) }
        counted.removeAll { !kept.contains(Int($0.occurrence)) }
    }

    /// Adds what is left to the list.
    ///
    /// - Parameters:
    ///   - issues: the list.
    ///   - place: where the dictionary stands.
    ///   - key: the bytes of an occurrence's key. Asked for once an occurrence: its issues share the text, so that many
    ///     of them below a long key don't cost their product.
    func report(to issues: inout IssueList, _ place: PayloadPlace, key: (Int) -> ArraySlice<UInt8>) {
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
