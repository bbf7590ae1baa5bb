/// The names of a map of the payload.
///
/// They are compared with the names of an earlier step, in order. As long as they are equal nothing is stored; from the
/// first difference on, all are.
struct PostedNames {
    /// The map.
    enum Map {
        case scalars, metrics
    }

    private let map: Map
    private let known: ColumnTable?
    /// The number of names, including those that later ones replace.
    private(set) var count = 0
    private var isKnown: Bool
    /// All names if they are stored, and two offsets for each.
    private var text: [UInt8] = []
    private var bounds: [Int32] = []

    /// - Parameters:
    ///   - map: the map.
    ///   - known: the names of an earlier step.
    init(_ map: Map, known: ColumnTable?) {
        self.map = map
        self.known = known
        isKnown = known != nil
    }

    /// Removes all names.
    mutating func removeAll() {
        count = 0
        isKnown = known != nil
        text.removeAll(keepingCapacity: true)
        bounds.removeAll(keepingCapacity: true)
    }

    /// Whether the names are those of the earlier step, all of them.
    var areKnown: Bool { isKnown && count == knownCount }

    /// Whether each name equals one of the earlier step, so that none is repeated.
    var areStored: Bool { !isKnown }

    /// The bytes of a name.
    subscript(index: Int) -> ArraySlice<UInt8> {
        isKnown ? knownName(index) : text[Int(bounds[index * 2])..<Int(bounds[index * 2 + 1])]
    }

    /// Adds a name.
    ///
    /// - Returns: its error; `nil` for a valid name.
    mutating func add(_ key: RawString, in reader: JSONReader) -> PayloadIssue.Kind? {
        if isKnown {
            if count < knownCount, isKnownName(key, in: reader) {
                count += 1
                return nil
            }
            store()
        }
        let start = text.count
        let isUnicode = reader.append(key, to: &text)
        bounds.append(Int32(truncatingIfNeeded: start))
        bounds.append(Int32(truncatingIfNeeded: text.count))
        count += 1
        if !isUnicode { return .loneSurrogate }
        let name = text[start...]
        if name.isEmpty { return .stringTooShort(minimum: 1) }
        if name.count > OpenStepLimits.nameLength { return .stringTooLong(maximum: OpenStepLimits.nameLength) }
        return PayloadDecoder.hasControlCharacter(name) ? .controlCharacter : nil
    }

    /// Stores the names: a value is null, which the earlier step did not have.
    mutating func store() {
        guard isKnown else { return }
        for index in 0..<count {
            bounds.append(Int32(truncatingIfNeeded: text.count))
            text += knownName(index)
            bounds.append(Int32(truncatingIfNeeded: text.count))
        }
        isKnown = false
    }

    /// The occurrences that later ones with the same name replace; `nil` if there are none.
    func replaced() -> Set<Int>? {
        guard !isKnown, let last = DuplicateKeys.lastOfEach(count: count, key: { self[$0] }) else { return nil }
        return Set(0..<count).subtracting(last)
    }

    /// Keeps the names at these indices. They must be stored.
    mutating func keep(_ indices: [Int]) {
        bounds = indices.flatMap { [bounds[$0 * 2], bounds[$0 * 2 + 1]] }
        count = indices.count
    }

    private var knownCount: Int {
        guard let layout = known?.layout else { return 0 }
        return map == .scalars ? layout.scalarCount : layout.metricCount
    }

    private func knownName(_ index: Int) -> ArraySlice<UInt8> {
        guard let layout = known?.layout else { return [] }
        return map == .scalars ? layout.scalarName(index) : layout.metricName(index)
    }

    private func isKnownName(_ key: RawString, in reader: JSONReader) -> Bool {
        guard !key.hasEscapes, let layout = known?.layout else { return false }
        if map == .scalars, count < layout.ratioCount {
            let prefix = V1Scalar.ratioPrefix
            guard reader.text.has(prefix, at: key.range.lowerBound), key.range.count >= prefix.count else {
                return false
            }
            return reader.text.equals(key.range.dropFirst(prefix.count), layout.scalarKey(count))
        }
        return reader.text.equals(
            key.range, map == .scalars ? layout.scalarKey(count) : layout.metricName(count))
    }
}
