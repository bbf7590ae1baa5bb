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
        let problem: PayloadIssue.Kind?
        switch number {
        case .value(let value):
            if bound == .none || value > 0 || (value == 0 && bound == .notNegative) { return value }
            problem = bound == .aboveZero ? .notGreater(than: 0) : .notGreaterOrEqual(to: 0)
        case .fraction: problem = .integerHasFraction
        case .tooLarge: problem = .integerTooLarge
        case .notFinite: problem = .notFinite
        }
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

    /// Reads `gradient_norm_ratio`: an object of numbers.
    mutating func gradientNormRatio(_ place: PayloadPlace) throws(JSONSyntaxError) {
        ratios.removeAll(keepingCapacity: true)
        step.layout.ratioBounds.removeAll(keepingCapacity: true)
        guard reader.next == UInt8(ascii: "{") else { return try reject(.dictionaryExpected, place) }
        try reader.open()
        var found = KeyedIssues()
        var first = true
        while let key = try reader.nextKey(first: &first) {
            let start = step.layout.text.count
            let isUnicode = reader.append(key, to: &step.layout.text)
            step.layout.ratioBounds.append(Int32(truncatingIfNeeded: start))
            step.layout.ratioBounds.append(Int32(truncatingIfNeeded: step.layout.text.count))
            if !isUnicode { found.add(.loneSurrogate, occurrence: ratios.count) }
            let byte = reader.next
            if byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 {
                let value = reader.double(try reader.number())
                if !value.isFinite { found.add(.notFinite, occurrence: ratios.count) }
                ratios.append(value)
            } else {
                let isToken = byte == UInt8(ascii: "N") || byte == UInt8(ascii: "I")
                found.add(isToken ? .notFinite : .numberExpected, occurrence: ratios.count)
                try reader.skipValue()
                ratios.append(0)
            }
        }
        let layout = step.layout
        if let kept = DuplicateKeys.lastOfEach(count: ratios.count, key: { layout.ratioKeyBytes($0) }) {
            ratios = kept.map { ratios[$0] }
            step.layout.ratioBounds = kept.flatMap { [layout.ratioBounds[$0 * 2], layout.ratioBounds[$0 * 2 + 1]] }
            found.keep(kept)
        }
        found.report(to: &issues, place) { layout.ratioKeyBytes($0) }
    }
}
