/// The bound that a number must keep to.
enum Bound {
    case none
    case notNegative
    case aboveZero
}

/// The values of a payload: each reads one, checks it, and notes what is wrong with it.
extension PayloadPass {
    /// Reads a number of the layer into its column. Out of line, so that what calls it for each field stays short.
    @inline(never)
    mutating func store(_ metric: LayerMetric, _ place: PayloadPlace, bound: Bound) throws(JSONSyntaxError) {
        layerNumbers[metric.rawValue] = try number(place, bound: bound)
    }

    /// Reads a float: any JSON number that a double can hold.
    @inline(__always)
    mutating func number(_ place: PayloadPlace, bound: Bound) throws(JSONSyntaxError) -> Double {
        let value: Double
        if let plain = reader.plainDouble() {
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
    private static func issue(_ value: Double, _ bound: Bound) -> PayloadIssue.Kind? {
        if !value.isFinite { return .notFinite }
        switch bound {
        case .none: return nil
        case .notNegative: return value >= 0 ? nil : .notGreaterOrEqual(to: 0)
        case .aboveZero: return value > 0 ? nil : .notGreater(than: 0)
        }
    }

    /// Reads a whole number that fits 64 bits.
    ///
    /// - Parameters:
    ///   - place: where it stands.
    ///   - bound: what it must keep to.
    ///   - index: its position, where it stands in a list.
    /// - Returns: the number; 0 when something was wrong with it.
    /// - Throws: where the JSON is broken.
    @inline(__always)
    mutating func integer(
        _ place: PayloadPlace, bound: Bound, index: Int? = nil
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

    /// What is not a number: the tokens that Python writes for what is not finite, or another kind of value.
    private mutating func rejectNonNumber(
        _ kind: PayloadIssue.Kind, _ place: PayloadPlace, below: @autoclosure () -> [PayloadIssue.Location]
    ) throws(JSONSyntaxError) {
        let isToken = reader.next == UInt8(ascii: "N") || reader.next == UInt8(ascii: "I")
        try reject(isToken ? .notFinite : kind, place, below: below())
    }

    /// Reads a string into `text`: not empty, and bounded.
    ///
    /// A static function because `text` is often a part of the pass itself.
    ///
    /// - Parameters:
    ///   - reader: stands at the value.
    ///   - issues: what is wrong goes here.
    ///   - place: where the value stands.
    ///   - maximum: bytes of UTF-8.
    ///   - text: gets the bytes, unescaped.
    /// - Returns: where it stands in `text`; `nil` when something was wrong.
    /// - Throws: where the JSON is broken.
    @inline(__always)
    static func string(
        _ reader: inout JSONReader, _ issues: inout IssueList, _ place: PayloadPlace, maximum: Int,
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

    /// Reads `gradient_norm_ratio`: an object of floats.
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
