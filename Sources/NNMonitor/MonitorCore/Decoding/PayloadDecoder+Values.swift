/// Decodes values. Each method reads one value, validates it and records its errors.
extension PayloadDecoder {
    /// Reads a number into a column of the current layer. Not inlined, to keep its caller small.
    @inline(never)
    mutating func store(_ column: Int, _ place: PayloadPlace, bound: LowerBound) throws(JSONSyntaxError) {
        layerNumbers[column] = try number(place, bound: bound)
    }

    /// Reads a number: any JSON number in the range of a double.
    @inline(__always)
    mutating func number(_ place: PayloadPlace, bound: LowerBound) throws(JSONSyntaxError) -> Double {
        let value: Double
        if let plain = reader.plainDouble() {
            // A plain double is finite.
            if plain > 0 || bound == .none { return plain }
            value = plain
        } else if reader.next == UInt8(ascii: "-") || reader.next &- UInt8(ascii: "0") < 10 {
            value = reader.double(try reader.number())
        } else if bound != .aboveZero, let spelled = try reader.consumeSpelledNumber() {
            // The time is the only number above zero, and has no such spelling.
            value = spelled
            if value.isNaN || value > 0 || bound == .none { return value }
            issues.add(.notGreaterOrEqual(to: 0), place)
            return 0
        } else {
            try rejectNonNumber(.numberExpected, place, below: [])
            return 0
        }
        if let issue = Self.issue(value, bound) { issues.add(issue, place) }
        return value
    }

    @inline(__always)
    private static func issue(_ value: Double, _ bound: LowerBound) -> PayloadIssue.Kind? {
        if !value.isFinite { return .notFinite }
        switch bound {
        case .none: return nil
        case .notNegative: return value >= 0 ? nil : .notGreaterOrEqual(to: 0)
        case .aboveZero: return value > 0 ? nil : .notGreater(than: 0)
        }
    }

    /// Reads a 64-bit integer.
    ///
    /// - Parameters:
    ///   - place: the position of the value.
    ///   - bound: the lower bound.
    ///   - index: the index of the value if it is in a list.
    /// - Returns: the number; 0 if it was rejected.
    /// - Throws: a syntax error.
    @inline(__always)
    mutating func integer(
        _ place: PayloadPlace, bound: LowerBound, index: Int? = nil
    ) throws(JSONSyntaxError) -> Int64 {
        let number: WholeNumber
        if let value = reader.plainInteger() {
            if value > 0 || bound != .aboveZero { return value }
            number = .value(value)
        } else if reader.next == UInt8(ascii: "-") || reader.next &- UInt8(ascii: "0") < 10 {
            number = reader.integer(try reader.number())
        } else {
            try rejectNonNumber(.integerExpected, place, below: index.map { [.index($0)] } ?? [])
            return 0
        }
        let problem = number.problem(bound)
        if case .value(let value) = number, problem == nil { return value }
        if let problem { issues.add(problem, place, below: index.map { [.index($0)] } ?? []) }
        return 0
    }

    /// Rejects a value that is not a number: a token for a non-finite number, as Python writes it, or another type.
    private mutating func rejectNonNumber(
        _ kind: PayloadIssue.Kind, _ place: PayloadPlace, below: @autoclosure () -> [PayloadIssue.Location]
    ) throws(JSONSyntaxError) {
        let isToken = reader.next == UInt8(ascii: "N") || reader.next == UInt8(ascii: "I")
        try reject(isToken ? .notFinite : kind, place, below: below())
    }

    /// Appends a non-empty string of bounded length to `text`.
    ///
    /// Static, because `text` is often a property of the decoder itself (exclusive access).
    ///
    /// - Parameters:
    ///   - reader: must be at the value.
    ///   - issues: receives the errors.
    ///   - place: the position of the value.
    ///   - maximum: bytes of UTF-8.
    ///   - text: receives the unescaped bytes.
    /// - Returns: the range in `text`; `nil` if the value was rejected.
    /// - Throws: a syntax error.
    @inline(__always)
    static func string(
        _ reader: inout JSONReader, _ issues: inout IssueCollector, _ place: PayloadPlace, maximum: Int,
        into text: inout [UInt8]
    ) throws(JSONSyntaxError) -> Range<Int>? {
        guard reader.next == UInt8(ascii: "\"") else {
            issues.add(.stringExpected, place)
            try reader.skipValue()
            return nil
        }
        let raw = try reader.string()
        let start = text.count
        let isUnicode = reader.append(raw, to: &text)
        let range = start..<text.count
        if !isUnicode {
            issues.add(.loneSurrogate, place)
        } else if range.isEmpty {
            issues.add(.stringTooShort(minimum: 1), place)
        } else if range.count > maximum {
            issues.add(.stringTooLong(maximum: maximum), place)
        } else {
            return range
        }
        return nil
    }

    // MARK: Dictionaries

    /// Removes the values of an earlier `gradient_norm_ratio`.
    mutating func forgetRatios() {
        ratios.removeAll(keepingCapacity: true)
        step.columns = .v1
        hasLikelyNames = false
    }

    /// Reads `gradient_norm_ratio`: an object of numbers. The open wire has a scalar for each.
    mutating func gradientNormRatio(_ place: PayloadPlace) throws(JSONSyntaxError) {
        forgetRatios()
        guard reader.next == UInt8(ascii: "{") else { return try reject(.dictionaryExpected, place) }
        try reader.open()
        var found = KeyedIssues()
        var first = true
        hasLikelyNames = likely != nil
        while let key = try reader.nextKey(first: &first) {
            if !isLikely(key), !appendRatioName(key) { found.add(.loneSurrogate, occurrence: ratios.count) }
            let byte = reader.next
            if byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 {
                let value = reader.double(try reader.number())
                if !value.isFinite { found.add(.notFinite, occurrence: ratios.count) }
                ratios.append(value)
            } else if let spelled = try reader.consumeSpelledNumber() {
                ratios.append(spelled)
            } else {
                let isToken = byte == UInt8(ascii: "N") || byte == UInt8(ascii: "I")
                found.add(isToken ? .notFinite : .numberExpected, occurrence: ratios.count)
                try reader.skipValue()
                ratios.append(0)
            }
        }
        if hasLikelyNames, ratios.count != likely?.ratioCount { storeRatioNames() }
        // The likely names are valid and differ.
        if hasLikelyNames { return found.report(to: &issues, place) { likely?.scalarKey($0) ?? [] } }
        let columns = step.columns
        if let kept = DuplicateKeys.lastOfEach(count: ratios.count, key: { columns.scalarKey($0) }) {
            ratios = kept.map { ratios[$0] }
            step.columns.scalarBounds = kept.flatMap {
                [columns.scalarBounds[$0 * 2], columns.scalarBounds[$0 * 2 + 1]]
            }
            found.keep(kept)
        }
        found.report(to: &issues, place) { columns.scalarKey($0) }
        step.columns.ratioCount = ratios.count
    }

    /// Whether a key and all before it are the likely ones.
    private func isLikely(_ key: RawString) -> Bool {
        guard hasLikelyNames, !key.hasEscapes, let likely, ratios.count < likely.ratioCount else { return false }
        return reader.text.equals(key.range, likely.scalarKey(ratios.count))
    }

    /// Appends the name of a ratio.
    ///
    /// - Returns: whether it is valid Unicode.
    private mutating func appendRatioName(_ key: RawString) -> Bool {
        storeRatioNames()
        let start = step.columns.text.count
        let isUnicode = reader.append(key, to: &step.columns.text)
        step.columns.scalarBounds.append(Int32(truncatingIfNeeded: start))
        step.columns.scalarBounds.append(Int32(truncatingIfNeeded: step.columns.text.count))
        return isUnicode
    }

    /// Stores the names that were read: they are not the likely ones, or not all of them.
    private mutating func storeRatioNames() {
        guard step.columns.scalarBounds.isEmpty else { return }
        // Enough for a few keys and `feature_std_gradient`, in one allocation each.
        step.columns.text.reserveCapacity(step.columns.text.count + 64)
        step.columns.scalarBounds.reserveCapacity(8)
        guard hasLikelyNames, let likely else { return }
        hasLikelyNames = false
        for index in ratios.indices {
            step.columns.scalarBounds.append(Int32(truncatingIfNeeded: step.columns.text.count))
            step.columns.text += likely.scalarKey(index)
            step.columns.scalarBounds.append(Int32(truncatingIfNeeded: step.columns.text.count))
        }
    }
}
