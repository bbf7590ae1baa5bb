/// The keys of a schema object.
///
/// Memory: `init` allocates and initializes `count` keys, which are never freed. `subscript` checks every index. Lists
/// are created only for `PayloadSchema.shared`, so the memory is bounded.
@safe struct SchemaKeys: Sendable {
    /// The maximum number of keys: the sort key of an error (`IssueCollector`) has four bits for a field.
    static let maximum = 15

    /// Bit n is set if field n is required.
    let required: UInt32
    let count: Int
    /// `nonisolated(unsafe)` is sound: the memory is written before the pointer is published, and is neither changed
    /// nor freed afterwards. A pointer, because an array would be retained for each object of a payload.
    nonisolated(unsafe) private let keys: UnsafePointer<SchemaKey>
    /// For each key, where its metric is stored. The rules for `keys` hold here too.
    nonisolated(unsafe) private let metrics: UnsafePointer<MetricColumn>

    /// - Parameter list: the keys in schema order.
    init(_ list: [KeyDescription]) {
        precondition(list.count <= Self.maximum, "an object of the schema has at most 15 keys")
        required = list.enumerated().reduce(0) { $1.element.isRequired ? $0 | 1 << UInt32($1.offset) : $0 }
        count = list.count
        let keys = UnsafeMutablePointer<SchemaKey>.allocate(capacity: list.count)
        let metrics = UnsafeMutablePointer<MetricColumn>.allocate(capacity: list.count)
        // The loop initializes exactly the allocated elements.
        for (index, item) in list.enumerated() {
            unsafe (keys + index).initialize(to: SchemaKey(item.name))
            unsafe (metrics + index).initialize(to: MetricColumn(item))
        }
        unsafe self.keys = unsafe UnsafePointer(keys)
        unsafe self.metrics = unsafe UnsafePointer(metrics)
    }

    /// The key of a field, which must be in the list.
    @inline(__always)
    subscript(field: Int) -> SchemaKey {
        precondition(field >= 0 && field < count)
        // The precondition keeps the index inside the allocation.
        return unsafe keys[field]
    }

    /// The column of the metric that a field is; `nil` if it is no metric of a layer.
    @inline(__always)
    func column(_ field: Int) -> MetricColumn? {
        precondition(field >= 0 && field < count)
        // The precondition keeps the index inside the allocation.
        let metric = unsafe metrics[field]
        return metric.isMetric ? metric : nil
    }

    /// The columns of all metrics in the value of a field.
    func columns(_ field: Int) -> Range<Int> {
        precondition(field >= 0 && field < count)
        return unsafe metrics[field].all
    }

    /// Finds the field of a key.
    ///
    /// - Parameters:
    ///   - key: a key that `reader` scanned.
    ///   - reader: the text.
    /// - Returns: the field's number; `nil` for an unknown key.
    func field(_ key: RawString, in reader: JSONReader) -> Int? {
        var bytes: [UInt8] = []
        guard reader.append(key, to: &bytes) else { return nil }
        return (0..<count).first { field in
            let name = self[field].name
            // The bytes of a `StaticString` live as long as the program; they are used only inside the closure.
            return name.withUTF8Buffer { unsafe $0.elementsEqual(bytes) }
        }
    }
}

/// What the schema knows about a key.
struct KeyDescription {
    let name: StaticString
    let isRequired: Bool
    /// The metric that the key names, if any.
    var metric: LayerMetric?
    /// The columns of all metrics in the value: those of an object of metrics.
    var columns: Range<Int> = 0..<0
}

/// Where a metric is stored, and how it is checked (`LayerMetric`).
struct MetricColumn: Sendable {
    /// The offset within a layer's numbers.
    let index: Int
    let bound: LowerBound
    let isOptional: Bool
    fileprivate let isMetric: Bool
    /// The columns of all metrics in the value: one for a metric, more for an object of metrics, none for other values.
    fileprivate let all: Range<Int>

    fileprivate init(_ key: KeyDescription) {
        index = key.metric?.column ?? 0
        bound = key.metric?.bound ?? .none
        isOptional = !key.isRequired
        isMetric = key.metric != nil
        all = key.metric.map { $0.column..<$0.column + 1 } ?? key.columns
    }
}
