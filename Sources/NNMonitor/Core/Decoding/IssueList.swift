/// Where a value stands in a payload: cheap to pass along, turned into a path only when something is wrong.
struct PayloadPlace {
    /// The object that the value stands in.
    let object: PayloadObject
    /// The layer that the object belongs to; -1 outside of layers.
    let layer: Int
    /// The field of the object; -1 for the object itself.
    let field: Int

    @inline(__always)
    init(_ object: PayloadObject, layer: Int = -1, field: Int = -1) {
        self.object = object
        self.layer = layer
        self.field = field
    }
}

/// Collects what is wrong with a payload.
///
/// Errors come in the order of the text and are given in the order of the schema. When a key comes twice, what was
/// wrong with its first value no longer counts: `FieldIssues` knows which part of the list that is.
struct IssueList {
    /// How many are listed.
    static let maximum = 100
    /// How many are kept while reading: enough to sort what is listed, and bounded for a hostile payload.
    private static let kept = 10_000

    private struct Entry {
        let kind: PayloadIssue.Kind
        let place: PayloadPlace
        /// Below the field: keys of a dictionary, positions in a list.
        let below: [PayloadIssue.Location]
    }

    /// A state of the list: what was added between two marks belongs to what was read between them.
    struct Mark: Equatable {
        fileprivate var kept: Int
        fileprivate var dropped: Int
    }

    private var entries: [Entry] = []
    private var dropped = 0

    var isEmpty: Bool { entries.isEmpty && dropped == 0 }

    /// The list as it is now.
    var mark: Mark { Mark(kept: entries.count, dropped: dropped) }

    /// - Parameters:
    ///   - kind: what is wrong.
    ///   - place: where.
    ///   - below: the way on from there. Made only for an issue that is kept.
    mutating func add(
        _ kind: PayloadIssue.Kind, _ place: PayloadPlace, below: @autoclosure () -> [PayloadIssue.Location] = []
    ) {
        if entries.count < Self.kept {
            entries.append(Entry(kind: kind, place: place, below: below()))
        } else {
            dropped += 1
        }
    }

    /// Forgets what was added between two marks.
    ///
    /// Costs as much as was added since: a payload that repeats keys pays for it with its own length.
    mutating func discard(from start: Mark, to end: Mark) {
        entries.removeSubrange(start.kept..<end.kept)
        dropped -= end.dropped - start.dropped
    }

    /// Everything, in schema order, as the contract lists it.
    func rejection() -> RejectedPayload {
        let sorted = entries.enumerated()
            .map { (order: Self.order($0.element, $0.offset), entry: $0.element) }
            .sorted { $0.order.lexicographicallyPrecedes($1.order) }
        var issues = sorted.prefix(Self.maximum).map { PayloadIssue($0.entry.kind, at: Self.location($0.entry)) }
        let left = entries.count + dropped - issues.count
        if left > 0 { issues.append(PayloadIssue(.tooManyErrors(left: left), at: [])) }
        return RejectedPayload(issues: issues)
    }

    /// The way to an entry in field numbers and positions; its place in the text decides between equals.
    private static func order(_ entry: Entry, _ position: Int) -> [Int] {
        var order: [Int] = []
        var object = entry.place.object
        var field = entry.place.field
        while true {
            if field >= 0 { order.append(field) }
            if object == .layer { order.append(entry.place.layer) }
            guard let parent = object.parent else { break }
            (object, field) = parent
        }
        return order.reversed() + [position]
    }

    private static func location(_ entry: Entry) -> [PayloadIssue.Location] {
        var location: [PayloadIssue.Location] = []
        var object = entry.place.object
        var field = entry.place.field
        while true {
            if field >= 0 { location.append(.key("\(object.keys[field].name)")) }
            if object == .layer { location.append(.index(entry.place.layer)) }
            guard let parent = object.parent else { break }
            (object, field) = parent
        }
        return location.reversed() + entry.below
    }
}

/// Which part of the issue list belongs to which field of the object that is being read.
///
/// Empty, and without memory of its own, as long as nothing is wrong.
struct FieldIssues {
    private var spans: [(start: IssueList.Mark, end: IssueList.Mark)] = []

    /// Notes what was added while a field was read.
    mutating func note(_ field: Int, of count: Int, from start: IssueList.Mark, to end: IssueList.Mark) {
        if start == end { return }
        if spans.isEmpty { spans = Array(repeating: (start, start), count: count) }
        spans[field] = (start, end)
    }

    /// Forgets what was wrong with a field that comes again.
    mutating func forget(_ field: Int, in issues: inout IssueList) {
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

extension IssueList.Mark {
    fileprivate func isAtOrAfter(_ other: IssueList.Mark) -> Bool { kept >= other.kept && dropped >= other.dropped }

    fileprivate mutating func shift(back start: IssueList.Mark, _ end: IssueList.Mark) {
        kept -= end.kept - start.kept
        dropped -= end.dropped - start.dropped
    }
}
