/// Collects the errors of a payload.
///
/// Errors are added in text order and reported in schema order. If a key is repeated, the errors of its earlier value
/// are removed; `FieldIssues` tracks which entries those are.
struct IssueCollector {
    /// The maximum number of listed errors.
    static let maximum = 100
    /// The maximum number of stored errors: enough to sort the listed ones, and a bound on memory for hostile payloads.
    private static let kept = 10_000

    private struct Entry {
        let kind: PayloadIssue.Kind
        let place: PayloadPlace
        /// The path below the field: dictionary keys and list indices.
        let below: [PayloadIssue.Location]
    }

    /// A position in the list. Entries between two marks were added while the text between them was read.
    struct Mark: Equatable {
        var kept: Int
        var dropped: Int
    }

    private var entries: [Entry] = []
    private var dropped = 0

    var isEmpty: Bool { entries.isEmpty && dropped == 0 }

    /// The current position.
    var mark: Mark { Mark(kept: entries.count, dropped: dropped) }

    /// Adds an error. Above the stored maximum it is only counted.
    ///
    /// - Parameters:
    ///   - kind: the error.
    ///   - place: the position of the value.
    ///   - below: the path below `place`. Evaluated only if the error is stored.
    mutating func add(
        _ kind: PayloadIssue.Kind, _ place: PayloadPlace, below: @autoclosure () -> [PayloadIssue.Location] = []
    ) {
        if entries.count < Self.kept {
            entries.append(Entry(kind: kind, place: place, below: below()))
        } else {
            dropped += 1
        }
    }

    /// Whether further errors are only counted.
    var isFull: Bool { entries.count >= Self.kept }

    /// Counts errors that would not be listed in any case.
    mutating func count(_ issues: Int) { dropped += issues }

    /// Removes the errors between two marks.
    ///
    /// The cost is proportional to the number of errors added since `start`, so the total cost for repeated keys is
    /// bounded by the length of the payload.
    mutating func discard(from start: Mark, to end: Mark) {
        entries.removeSubrange(start.kept..<end.kept)
        dropped -= end.dropped - start.dropped
    }

    /// All errors in schema order (SCHEMA.md, section "Rejections").
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

    /// The sort key of an entry: the field of the payload, the layer, then up to three fields of four bits each. An
    /// object sorts before its fields. Entries with equal keys keep text order.
    private static func order(_ entry: Entry) -> UInt64 {
        var fields: UInt64 = 0
        var object = entry.place.object
        var field = entry.place.field
        // Proceeds from the innermost field outwards; each outer field is prepended.
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
