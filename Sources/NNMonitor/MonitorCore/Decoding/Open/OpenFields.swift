/// The fields of a step of the open wire. The raw values are their numbers, in schema order.
enum OpenField: Int, CaseIterable {
    case step, time, batchSize, scalars, layers, metrics, vectors
    /// Part of exported steps, ignored in posted ones.
    case seq

    var name: StaticString {
        switch self {
        case .step: "step"
        case .time: "time"
        case .batchSize: "batch_size"
        case .scalars: "scalars"
        case .layers: "layers"
        case .metrics: "metrics"
        case .vectors: "vectors"
        case .seq: "seq"
        }
    }

    static let keys = SchemaKeys(
        allCases.map { KeyDescription(name: $0.name, isRequired: $0 == .step) })
}

/// The fields of a layer of the open wire. The raw values are their numbers, in schema order.
enum OpenLayerField: Int, CaseIterable {
    case id, type, depth, shape, parameters, trainable, group

    var name: StaticString {
        switch self {
        case .id: "id"
        case .type: "type"
        case .depth: "depth"
        case .shape: "shape"
        case .parameters: "parameters"
        case .trainable: "trainable"
        case .group: "group"
        }
    }

    static let keys = SchemaKeys(
        allCases.map { KeyDescription(name: $0.name, isRequired: $0 == .id) })
}

/// The errors of one field of a step, in the order in which they are reported.
struct IssueList {
    /// More than are listed, because the errors within one layer are sorted later.
    private static let kept = IssueCollector.maximum + 64

    /// A position in the list.
    struct Mark {
        fileprivate var entries = 0
        fileprivate var dropped = 0
    }

    private var entries: [(order: Int, issue: PayloadIssue)] = []
    private var dropped = 0

    var isEmpty: Bool { entries.isEmpty && dropped == 0 }
    /// Whether further errors are only counted.
    var isFull: Bool { entries.count >= Self.kept }
    var count: Int { entries.count + dropped }
    var mark: Mark { Mark(entries: entries.count, dropped: dropped) }

    /// Adds an error. Errors are added in ascending order, except that those of one layer may be in any order.
    ///
    /// - Parameters:
    ///   - order: where it is reported: errors with equal numbers keep their order.
    ///   - issue: evaluated only if the error is stored.
    mutating func add(order: Int, _ issue: @autoclosure () -> PayloadIssue) {
        if entries.count < Self.kept { entries.append((order, issue())) } else { dropped += 1 }
    }

    /// Removes the errors that were added since a mark: all, or those at a place in the order.
    mutating func remove(since mark: Mark, order: Int? = nil) {
        guard entries.count > mark.entries || dropped > mark.dropped else { return }
        let rest = order.map { order in entries[mark.entries...].filter { $0.order != order } } ?? []
        entries.removeSubrange(mark.entries...)
        entries += rest
        if order == nil { dropped = mark.dropped }
    }

    /// The errors of two lists in order: enough to list.
    func issues(with other: IssueList) -> [PayloadIssue] {
        // `sorted(by:)` does not keep the order of equal elements, hence the position.
        (entries + other.entries).enumerated()
            .sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
            .prefix(IssueCollector.maximum).map(\.element.issue)
    }
}

/// The errors of a step of the open wire. Allocates nothing until the first error.
struct OpenIssues {
    private var lists: [IssueList] = []
    /// The errors of the step as a whole.
    private var whole: PayloadIssue?
    /// The columns of a wrong length: found at the end, and reported behind the errors of their values.
    private var lengths = IssueList()

    private static let empty = IssueList()

    /// Whether there are no errors.
    var isEmpty: Bool { whole == nil && lists.allSatisfy(\.isEmpty) && lengths.isEmpty }

    /// The errors of a field.
    subscript(field: OpenField) -> IssueList { lists.isEmpty ? Self.empty : lists[field.rawValue] }

    /// Whether further errors of a field are only counted.
    func isFull(_ field: OpenField) -> Bool { !lists.isEmpty && lists[field.rawValue].isFull }

    /// The current position in the errors of a field.
    func mark(_ field: OpenField) -> IssueList.Mark { lists.isEmpty ? IssueList.Mark() : lists[field.rawValue].mark }

    /// Removes the errors of a field that were added since a mark: all, or those at a place in the order.
    mutating func remove(_ field: OpenField, since mark: IssueList.Mark, order: Int? = nil) {
        if !lists.isEmpty { lists[field.rawValue].remove(since: mark, order: order) }
    }

    /// Adds an error below a field.
    mutating func add(
        _ kind: PayloadIssue.Kind, _ field: OpenField, order: Int = 0,
        below: @autoclosure () -> [PayloadIssue.Location] = []
    ) {
        if lists.isEmpty { lists = Array(repeating: Self.empty, count: OpenField.allCases.count) }
        lists[field.rawValue].add(
            order: order, PayloadIssue(kind, at: [.key("\(field.name)")] + below()))
    }

    /// Whether further errors of columns' lengths are only counted.
    var lengthsAreFull: Bool { lengths.isFull }

    /// Adds the error of a column's length.
    mutating func addLength(_ kind: PayloadIssue.Kind, column: Int, below: @autoclosure () -> [PayloadIssue.Location]) {
        lengths.add(order: column, PayloadIssue(kind, at: [.key("\(OpenField.metrics.name)")] + below()))
    }

    /// Records that the step is not an object.
    mutating func rejectWhole(_ kind: PayloadIssue.Kind) { whole = PayloadIssue(kind, at: []) }

    /// Removes the errors of a field: its key is repeated, and the last value counts.
    mutating func forget(_ field: OpenField) {
        if !lists.isEmpty { lists[field.rawValue] = Self.empty }
    }

    /// All errors in schema order; `nil` if there are none.
    func rejection() -> RejectedPayload? {
        if let whole { return RejectedPayload(issues: [whole]) }
        guard !isEmpty else { return nil }
        var issues: [PayloadIssue] = []
        for field in OpenField.allCases {
            issues += self[field].issues(with: field == .metrics ? lengths : Self.empty)
        }
        let count = lists.reduce(lengths.count) { $0 + $1.count }
        issues = Array(issues.prefix(IssueCollector.maximum))
        if count > issues.count { issues.append(PayloadIssue(.tooManyErrors(left: count - issues.count), at: [])) }
        return RejectedPayload(issues: issues)
    }
}
