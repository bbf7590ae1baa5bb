import Foundations

/// Decodes one step of the open wire: the reader, the partial step and the errors.
///
/// `OpenPayloadDecoder+Maps.swift` decodes scalars, metrics and vectors, `OpenPayloadDecoder+Layers.swift` the layers.
struct OpenPayloadDecoder {
    let limits: OpenStepLimits
    /// The tables of an earlier step of the run.
    let known: KnownTables
    var reader: JSONReader
    var step = StepContents()
    var issues = OpenIssues()
    var warnings: StepWarnings

    /// The number of unknown fields of the step and its layers.
    private(set) var unknownFields = 0
    private var hasStep = false
    private var timeIsNotFinite = false

    /// The number of layers; `nil` if `layers` could not be read.
    var layerCount: Int? = 0
    /// Whether `layers` has the text that gave the tables in `known`.
    var hasKnownLayers = false
    /// The text of `layers`; empty if it may not be recognised, because it has unknown fields.
    var layersText = 0..<0
    /// For each layer, whether it was posted as an id alone.
    var isBareID: [Bool] = []

    var scalarNames: PostedNames
    /// The value of each scalar; `MissingValue.number` for null.
    var scalars: [Double] = []
    var metricNames: PostedNames
    /// The number of values of each column; `absentColumn` for null. The values are in `step.numbers`.
    var columnLengths: [Int32] = []
    var vectors = PostedVectors()

    static let absentColumn: Int32 = -1
    /// The length of a column that is not a list.
    static let rejectedColumn: Int32 = -2

    init(
        _ bytes: UnsafeBufferPointer<UInt8>, limits: OpenStepLimits, known: KnownTables, warnings: StepWarnings
    ) {
        self.limits = limits
        self.known = known
        self.warnings = warnings
        // The decoder does not outlive the closure that provides the buffer (`OpenStepDecoder.decode`).
        reader = unsafe JSONReader(bytes)
        // The names of v1 have another order, and rules of their own.
        let columns = known.columns.flatMap { $0.layout.isV1 ? nil : $0 }
        scalarNames = PostedNames(.scalars, known: columns)
        metricNames = PostedNames(.metrics, known: columns)
        if let columns {
            step.numbers.reserveCapacity(columns.layout.numberCount(layers: known.layers?.layout.layerCount ?? 0))
            scalars.reserveCapacity(columns.layout.scalarCount)
            columnLengths.reserveCapacity(columns.layout.metricCount)
        } else {
            // A number with all its digits takes some 20 bytes.
            step.numbers.reserveCapacity(bytes.count / 20 + 8)
        }
    }

    mutating func payload() throws(JSONSyntaxError) {
        if reader.isEmpty { return issues.rejectWhole(.missing) }
        reader.skipWhitespace()
        guard reader.next == UInt8(ascii: "{") else {
            issues.rejectWhole(.objectExpected)
            try reader.skipValue()
            return try reader.finish()
        }
        try fields(
            OpenField.keys,
            read: { decoder, number throws(JSONSyntaxError) in
                guard let field = OpenField(rawValue: number) else {
                    preconditionFailure("field numbers are raw values")
                }
                decoder.issues.forget(field)
                try decoder.read(field)
            },
            unknown: { decoder, key, value in decoder.warnings.ignored(key, value) })
        try reader.finish()
        if !hasStep { issues.add(.missing, .step) }
        checkColumns()
        if timeIsNotFinite { warnings.timeIsNotFinite() }
    }

    private mutating func read(_ field: OpenField) throws(JSONSyntaxError) {
        switch field {
        case .step:
            hasStep = true
            step.step = try integer(.notNegative, .step) ?? 0
        case .time: try time()
        case .batchSize: step.batchSize = try isNull() ? 0 : integer(.aboveZero, .batchSize) ?? 0
        case .scalars: try readScalars()
        case .layers: try readLayers()
        case .metrics: try readMetrics()
        case .vectors: try readVectors()
        case .seq: try reader.skipValue()
        }
    }

    /// Reads the fields of an object. The reader must be at its opening brace.
    ///
    /// - Parameters:
    ///   - keys: the keys of the object.
    ///   - read: reads the value of a field, given by its number. The reader is at the value. It is called again if a
    ///     key is repeated.
    ///   - unknown: takes an unknown key and the kind of its value.
    /// - Throws: a syntax error.
    mutating func fields(
        _ keys: SchemaKeys, read: (inout OpenPayloadDecoder, Int) throws(JSONSyntaxError) -> Void,
        unknown: (inout OpenPayloadDecoder, [UInt8], StepWarnings.Value) -> Void
    ) throws(JSONSyntaxError) {
        try reader.open()
        var expected = 0
        var first = true
        while true {
            // Clients post the same keys in the same order and omit some.
            var field = expected
            while keys.contains(field), !reader.consumeKey(keys[field], first: &first) { field &+= 1 }
            if !keys.contains(field) {
                if reader.consumeObjectEnd() { return }
                guard let key = try reader.nextKey(first: &first) else { return }
                guard let other = (0..<keys.count).first(where: { reader.equals(key, keys[$0].name) }) else {
                    try skipUnknown(key, unknown)
                    continue
                }
                field = other
            }
            expected = field &+ 1
            try read(&self, field)
        }
    }

    /// Records an error below a field. The path is made only if the error is stored.
    mutating func reject(
        _ kind: PayloadIssue.Kind, _ field: OpenField, order: Int,
        below: (OpenPayloadDecoder) -> [PayloadIssue.Location]
    ) {
        let path = issues.isFull(field) ? [] : below(self)
        issues.add(kind, field, order: order, below: path)
    }

    private mutating func skipUnknown(
        _ key: RawString, _ unknown: (inout OpenPayloadDecoder, [UInt8], StepWarnings.Value) -> Void
    ) throws(JSONSyntaxError) {
        unknownFields += 1
        let value: StepWarnings.Value
        switch reader.next {
        case UInt8(ascii: "["): value = .list
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "N"), UInt8(ascii: "I"):
            value = .number
        case UInt8(ascii: "\""):
            if try reader.consumeSpelledNumber() != nil {
                if !warnings.isFull { unknown(&self, bytes(of: key), .number) }
                return
            }
            value = .other
        default: value = .other
        }
        if !warnings.isFull { unknown(&self, bytes(of: key), value) }
        try reader.skipValue()
    }

    private func bytes(of key: RawString) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = reader.append(key, to: &bytes)
        return bytes
    }

    // MARK: Values

    /// Consumes `null` if it is next.
    @inline(__always)
    mutating func isNull() throws(JSONSyntaxError) -> Bool {
        guard reader.next == UInt8(ascii: "n") else { return false }
        try reader.consumeWord("null")
        return true
    }

    /// Reads a value: a number, finite or not, or null.
    ///
    /// - Returns: the number, `MissingValue.number` for null; `nil` for a value of another type, which is consumed.
    /// - Throws: a syntax error.
    @inline(__always)
    mutating func value() throws(JSONSyntaxError) -> Double? {
        if let plain = reader.plainDouble() { return plain }
        return try unusualValue()
    }

    @inline(never)
    private mutating func unusualValue() throws(JSONSyntaxError) -> Double? {
        if let whole = reader.plainInteger() { return Double(whole) }
        switch reader.next {
        case UInt8(ascii: "n"):
            try reader.consumeWord("null")
            return MissingValue.number
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return reader.double(try reader.number())
        case UInt8(ascii: "N"):
            try reader.consumeWord("NaN")
            return .nan
        case UInt8(ascii: "I"):
            try reader.consumeWord("Infinity")
            return .infinity
        default:
            if let spelled = try reader.consumeSpelledNumber() { return spelled }
            try reader.skipValue()
            return nil
        }
    }

    /// Reads a 64-bit integer.
    ///
    /// - Returns: the number; `nil` if it was rejected.
    /// - Throws: a syntax error.
    mutating func integer(
        _ bound: LowerBound, _ field: OpenField, order: Int = 0,
        below: @autoclosure () -> [PayloadIssue.Location] = []
    ) throws(JSONSyntaxError) -> Int64? {
        let number: WholeNumber
        if let value = reader.plainInteger() {
            number = .value(value)
        } else if reader.next == UInt8(ascii: "-") || reader.next &- UInt8(ascii: "0") < 10 {
            number = reader.integer(try reader.number())
        } else {
            let isToken = reader.next == UInt8(ascii: "N") || reader.next == UInt8(ascii: "I")
            issues.add(isToken ? .notFinite : .integerExpected, field, order: order, below: below())
            try reader.skipValue()
            return nil
        }
        if let problem = number.problem(bound) {
            issues.add(problem, field, order: order, below: below())
            return nil
        }
        guard case .value(let value) = number else { return nil }
        return value
    }

    private mutating func time() throws(JSONSyntaxError) {
        step.timestamp = 0
        timeIsNotFinite = false
        if try isNull() { return }
        guard let value = try self.value() else { return issues.add(.numberExpected, .time) }
        if !value.isFinite {
            timeIsNotFinite = true
        } else if value > 0 {
            step.timestamp = value
        } else {
            issues.add(.notGreater(than: 0), .time)
        }
    }
}
