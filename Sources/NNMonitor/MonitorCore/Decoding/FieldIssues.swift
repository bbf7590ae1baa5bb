/// Maps the fields of the current object to their entries in the issue list.
///
/// Allocates nothing until the first error.
struct FieldIssues {
    private var spans: [(start: IssueCollector.Mark, end: IssueCollector.Mark)] = []

    /// Records the entries that were added while a field was read.
    mutating func note(_ field: Int, of count: Int, from start: IssueCollector.Mark, to end: IssueCollector.Mark) {
        if start == end { return }
        if spans.isEmpty { spans = Array(repeating: (start, start), count: count) }
        spans[field] = (start, end)
    }

    /// Removes the errors of a field whose key is repeated.
    mutating func forget(_ field: Int, in issues: inout IssueCollector) {
        guard !spans.isEmpty, spans[field].start != spans[field].end else { return }
        let (start, end) = spans[field]
        issues.discard(from: start, to: end)
        spans[field] = (start, start)
        for other in spans.indices where spans[other].start.isAtOrAfter(end) {
            spans[other].start.shift(back: start, end)
            spans[other].end.shift(back: start, end)
        }
    }
}

extension IssueCollector.Mark {
    func isAtOrAfter(_ other: IssueCollector.Mark) -> Bool { kept >= other.kept && dropped >= other.dropped }

    fileprivate mutating func shift(back start: IssueCollector.Mark, _ end: IssueCollector.Mark) {
        kept -= end.kept - start.kept
        dropped -= end.dropped - start.dropped
    }
}
