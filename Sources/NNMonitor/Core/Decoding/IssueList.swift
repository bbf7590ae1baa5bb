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
/// wrong with its first value no longer counts.
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

    private var entries: [Entry] = []
    private var dropped = 0

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ kind: PayloadIssue.Kind, _ place: PayloadPlace, below: [PayloadIssue.Location] = []) {
        if entries.count < Self.kept {
            entries.append(Entry(kind: kind, place: place, below: below))
        } else {
            dropped += 1
        }
    }

    /// Whether something is wrong at a place or below it.
    func hasAny(at place: PayloadPlace) -> Bool { entries.contains { Self.isWithin($0.place, place) } }

    /// Forgets what is wrong at a place and below it.
    mutating func discard(at place: PayloadPlace) {
        entries.removeAll { Self.isWithin($0.place, place) }
    }

    private static func isWithin(_ inner: PayloadPlace, _ outer: PayloadPlace) -> Bool {
        if outer.layer >= 0 && inner.layer != outer.layer { return false }
        var object = inner.object
        var field = inner.field
        while true {
            if object == outer.object { return outer.field < 0 || field == outer.field }
            guard let parent = object.parent else { return false }
            (object, field) = parent
        }
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
            if field >= 0 { location.append(.key("\(object.keys.names[field])")) }
            if object == .layer { location.append(.index(entry.place.layer)) }
            guard let parent = object.parent else { break }
            (object, field) = parent
        }
        return location.reversed() + entry.below
    }
}
