/// Decodes the maps of a step: scalars, metrics and vectors.
extension OpenPayloadDecoder {
    /// Reads the entries of a map, which must be next. If a key is repeated, the map is read again without the entries
    /// that later ones replace.
    ///
    /// - Parameters:
    ///   - begin: removes the values that an earlier attempt read.
    ///   - entry: reads the value of a key. The reader is at the value.
    ///   - replaced: the positions of the entries that later ones replace; `nil` if no key is repeated.
    /// - Throws: a syntax error.
    private mutating func map(
        begin: (inout OpenPayloadDecoder) -> Void,
        entry: (inout OpenPayloadDecoder, RawString) throws(JSONSyntaxError) -> Void,
        replaced: (OpenPayloadDecoder) -> Set<Int>?
    ) throws(JSONSyntaxError) {
        let start = reader
        var skipped: Set<Int>?
        while true {
            begin(&self)
            try reader.open()
            var first = true
            var position = 0
            while let key = try reader.nextKey(first: &first) {
                if let skipped, skipped.contains(position) {
                    try reader.skipValue()
                } else {
                    try entry(&self, key)
                }
                position += 1
            }
            if skipped != nil { return }
            skipped = replaced(self)
            if skipped == nil { return }
            reader = start
        }
    }

    /// Whether a map is next. Null is consumed; another value is rejected.
    private mutating func isMap(_ field: OpenField) throws(JSONSyntaxError) -> Bool {
        if reader.next == UInt8(ascii: "{") { return true }
        if try isNull() { return false }
        issues.add(.dictionaryExpected, field)
        try reader.skipValue()
        return false
    }

    private static func key(_ name: ArraySlice<UInt8>) -> PayloadIssue.Location {
        .key(PayloadIssue.Location.text(ofKey: name))
    }

    // MARK: Scalars

    /// Reads `scalars`: a map from names to values.
    mutating func readScalars() throws(JSONSyntaxError) {
        scalarNames.removeAll()
        scalars.removeAll(keepingCapacity: true)
        guard try isMap(.scalars) else { return }
        try map(
            begin: { decoder in
                decoder.issues.forget(.scalars)
                decoder.scalarNames.removeAll()
                decoder.scalars.removeAll(keepingCapacity: true)
            }, entry: { decoder, key throws(JSONSyntaxError) in try decoder.scalar(key) },
            replaced: { $0.scalarNames.replaced() })
        if let kept = Self.indices(scalars, without: MissingValue.isMissing) {
            scalarNames.keep(kept)
            scalars = kept.map { scalars[$0] }
        }
        if scalars.count > limits.scalars {
            issues.add(.tooLong(maximum: limits.scalars, actual: scalars.count), .scalars, order: -1)
        }
    }

    private mutating func scalar(_ key: RawString) throws(JSONSyntaxError) {
        let order = scalarNames.count
        if let problem = scalarNames.add(key, in: reader) {
            reject(problem, .scalars, order: order) { [Self.key($0.scalarNames[order])] }
        }
        let value = try self.value()
        if value == nil { reject(.numberExpected, .scalars, order: order) { [Self.key($0.scalarNames[order])] } }
        scalars.append(value ?? 0)
        if MissingValue.isMissing(scalars[order]) { scalarNames.store() }
    }

    /// The indices of the elements that a condition does not hold for; `nil` if it holds for none.
    private static func indices<List: RandomAccessCollection<Element>, Element>(
        _ elements: List, without condition: (Element) -> Bool
    ) -> [Int]? where List.Index == Int {
        guard elements.contains(where: condition) else { return nil }
        return elements.indices.filter { !condition(elements[$0]) }
    }

    // MARK: Metrics

    /// Reads `metrics`: a map from names to a value for each layer.
    mutating func readMetrics() throws(JSONSyntaxError) {
        removeMetrics()
        guard try isMap(.metrics) else { return }
        try map(
            begin: { decoder in
                decoder.issues.forget(.metrics)
                decoder.removeMetrics()
            }, entry: { decoder, key throws(JSONSyntaxError) in try decoder.column(key) },
            replaced: { $0.metricNames.replaced() })
        if let kept = Self.indices(columnLengths, without: { $0 == Self.absentColumn }) {
            metricNames.keep(kept)
            columnLengths = kept.map { columnLengths[$0] }
        }
        if columnLengths.count > limits.metrics {
            issues.add(.tooLong(maximum: limits.metrics, actual: columnLengths.count), .metrics, order: -1)
        }
    }

    private mutating func removeMetrics() {
        metricNames.removeAll()
        columnLengths.removeAll(keepingCapacity: true)
        step.numbers.removeAll(keepingCapacity: true)
    }

    private mutating func column(_ key: RawString) throws(JSONSyntaxError) {
        let order = metricNames.count
        if let problem = metricNames.add(key, in: reader) {
            reject(problem, .metrics, order: order) { [Self.key($0.metricNames[order])] }
        }
        var length = 0
        if reader.next == UInt8(ascii: "[") {
            try reader.open()
            var first = true
            while try reader.nextElement(first: &first) {
                let plain = reader.appendPlainDoubles(to: &step.numbers, expected: (layerCount ?? 0) &- length)
                length &+= plain
                if plain > 0 { continue }
                if let value = try self.value() {
                    step.numbers.append(value)
                } else {
                    reject(.numberExpected, .metrics, order: order) {
                        [Self.key($0.metricNames[order]), .index(length)]
                    }
                }
                length &+= 1
            }
        } else if try isNull() {
            metricNames.store()
            length = Int(Self.absentColumn)
        } else {
            reject(.listExpected, .metrics, order: order) { [Self.key($0.metricNames[order])] }
            try reader.skipValue()
            length = Int(Self.rejectedColumn)
        }
        columnLengths.append(Int32(truncatingIfNeeded: length))
    }

    /// Reports the columns that have another number of values than there are layers.
    mutating func checkColumns() {
        guard let layerCount else { return }
        for (column, length) in columnLengths.enumerated() where length != layerCount && length != Self.rejectedColumn {
            let length = Int(length)
            let key = issues.lengthsAreFull ? "" : PayloadIssue.Location.text(ofKey: metricNames[column])
            issues.addLength(
                length > layerCount
                    ? .tooLong(maximum: layerCount, actual: length) : .tooShort(minimum: layerCount, actual: length),
                column: column, below: [.key(key)])
        }
    }

    // MARK: Vectors

    /// Reads `vectors`: a map from names to a map from layer ids to lists of values.
    mutating func readVectors() throws(JSONSyntaxError) {
        vectors.removeAll()
        guard try isMap(.vectors) else { return }
        try map(
            begin: { decoder in
                decoder.issues.forget(.vectors)
                decoder.vectors.removeAll()
            }, entry: { decoder, key throws(JSONSyntaxError) in try decoder.vectors(named: key) },
            replaced: { decoder in
                Self.replaced(count: decoder.vectors.names.count) { decoder.vectors.name($0) }
            })
        if vectors.names.count > limits.metrics {
            issues.add(.tooLong(maximum: limits.metrics, actual: vectors.names.count), .vectors, order: -1)
        }
    }

    private static func replaced(count: Int, key: (Int) -> ArraySlice<UInt8>) -> Set<Int>? {
        DuplicateKeys.lastOfEach(count: count, key: key).map { Set(0..<count).subtracting($0) }
    }

    private mutating func vectors(named key: RawString) throws(JSONSyntaxError) {
        let name = vectors.names.count
        let (range, isUnicode) = vectors.append(key, in: reader)
        vectors.names.append(range)
        let bytes = vectors.name(name)
        let problem: PayloadIssue.Kind? =
            !isUnicode
            ? .loneSurrogate
            : bytes.isEmpty
                ? .stringTooShort(minimum: 1)
                : bytes.count > OpenStepLimits.nameLength
                    ? .stringTooLong(maximum: OpenStepLimits.nameLength)
                    : PayloadDecoder.hasControlCharacter(bytes) ? .controlCharacter : nil
        if let problem { reject(problem, .vectors, order: name) { [Self.key($0.vectors.name(name))] } }
        if try isNull() { return }
        guard reader.next == UInt8(ascii: "{") else {
            reject(.dictionaryExpected, .vectors, order: name) { [Self.key($0.vectors.name(name))] }
            return try reader.skipValue()
        }
        let firstVector = vectors.vectors.count
        let firstValue = vectors.values.count
        let firstByte = vectors.text.count
        let before = issues.mark(.vectors)
        try map(
            begin: { decoder in
                decoder.issues.remove(.vectors, since: before)
                decoder.vectors.vectors.removeSubrange(firstVector...)
                decoder.vectors.values.removeSubrange(firstValue...)
                decoder.vectors.text.removeSubrange(firstByte...)
            }, entry: { decoder, key throws(JSONSyntaxError) in try decoder.vector(key, of: name) },
            replaced: { decoder in
                Self.replaced(count: decoder.vectors.vectors.count - firstVector) {
                    decoder.vectors.id(firstVector + $0)
                }
            })
        if let kept = Self.indices(vectors.vectors[firstVector...], without: { $0.length == Self.absentColumn }) {
            let kept = kept.map { vectors.vectors[$0] }
            vectors.vectors.replaceSubrange(firstVector..., with: kept)
        }
        checkVectors(of: name, from: firstVector)
        vectors.serveSlashes(from: firstVector)
    }

    /// Reads the vector of one layer.
    private mutating func vector(_ key: RawString, of name: Int) throws(JSONSyntaxError) {
        let (range, isUnicode) = vectors.append(key, in: reader)
        let index = vectors.vectors.count
        vectors.vectors.append(PostedVectors.Vector(name: Int32(truncatingIfNeeded: name), id: range, length: 0))
        func reject(_ decoder: inout OpenPayloadDecoder, _ kind: PayloadIssue.Kind, at position: Int? = nil) {
            decoder.reject(kind, .vectors, order: name) {
                [Self.key($0.vectors.name(name)), Self.key($0.vectors.id(index))]
                    + (position.map { [.index($0)] } ?? [])
            }
        }
        if !isUnicode {
            reject(&self, .loneSurrogate)
        } else if range.isEmpty {
            reject(&self, .stringTooShort(minimum: 1))
        } else if range.count > OpenStepLimits.textLength {
            reject(&self, .stringTooLong(maximum: OpenStepLimits.textLength))
        }
        if try isNull() {
            vectors.vectors[index].length = Self.absentColumn
            return
        }
        guard reader.next == UInt8(ascii: "[") else {
            reject(&self, .listExpected)
            return try reader.skipValue()
        }
        try reader.open()
        var first = true
        var length = 0
        while try reader.nextElement(first: &first) {
            if let value = try self.value(), !MissingValue.isMissing(value) {
                if length < OpenStepLimits.vectorLength { vectors.values.append(value) }
            } else {
                reject(&self, .numberExpected, at: length)
            }
            length &+= 1
        }
        if length > OpenStepLimits.vectorLength {
            reject(&self, .tooLong(maximum: OpenStepLimits.vectorLength, actual: length))
        }
        vectors.vectors[index].length = Int32(truncatingIfNeeded: length)
    }

    /// Checks that the ids of a name's vectors differ as they are served, and that a histogram has as many counts as
    /// one.
    private mutating func checkVectors(of name: Int, from firstVector: Int) {
        let ids = firstVector..<vectors.vectors.count
        // Ids that differ as posted can only be served alike if one has a dot where another has a slash.
        if ids.contains(where: { vectors.id($0).contains(UInt8(ascii: ".")) }),
            ids.contains(where: { vectors.id($0).contains(UInt8(ascii: "/")) })
        {
            let served = ids.map { vectors.id($0).map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "/") : $0 }[...] }
            for index in DuplicateKeys.repeats(count: served.count, key: { served[$0] }) {
                reject(.layerRepeated(id: String(decoding: served[index], as: UTF8.self)), .vectors, order: name) {
                    [Self.key($0.vectors.name(name)), Self.key($0.vectors.id(firstVector + index))]
                }
            }
        }
        guard vectors.name(name).reversed().starts(with: Self.histogramSuffix.reversed()),
            vectors.vectors[firstVector...].contains(where: { Int($0.length) != Self.histogramLength })
        else { return }
        warnings.histogram(Array(vectors.name(name)), expected: Self.histogramLength)
    }

    /// The end of the name of a histogram of absolute values by binary exponent, and the number of its counts.
    private static let histogramSuffix = Array("_exponents".utf8)
    private static let histogramLength = 66
}
