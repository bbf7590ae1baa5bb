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

    /// Whether what is added now is only counted.
    var isFull: Bool { entries.count >= Self.kept }

    /// Counts issues that would not be listed in any case.
    mutating func count(_ issues: Int) { dropped += issues }

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
            .map { (order: Self.order($0.element), position: $0.offset) }
            .sorted { ($0.order, $0.position) < ($1.order, $1.position) }
        var issues = sorted.prefix(Self.maximum).map {
            PayloadIssue(entries[$0.position].kind, at: Self.location(entries[$0.position]))
        }
        let left = entries.count + dropped - issues.count
        if left > 0 { issues.append(PayloadIssue(.tooManyErrors(left: left), at: [])) }
        return RejectedPayload(issues: issues)
    }

    /// The way to an entry as one number: the field of the payload, the layer, then up to three fields of four bits. An
    /// object itself comes before its fields. The place in the text decides between equals.
    private static func order(_ entry: Entry) -> UInt64 {
        var fields: UInt64 = 0
        var object = entry.place.object
        var field = entry.place.field
        // From the innermost field outwards: each is put before those that came so far.
        while true {
            if field >= 0 { fields = fields >> 4 | UInt64(field + 1) << 12 }
            guard let parent = object.parent else { break }
            (object, field) = parent
        }
        return (fields >> 12) << 48 | UInt64(entry.place.layer + 1) << 12 | fields & 0xFFF
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
