/// Decodes a small JSON object with known fields, and collects the errors of all its fields.
///
/// Unknown fields are ignored. The last of duplicate keys wins.
struct ObjectDecoder {
    /// The largest number of errors that are kept for one field; the rest is counted.
    private static let maximumIssues = IssueCollector.maximum

    private var reader: JSONReader
    private let names: [StaticString]
    /// The errors of each field.
    private var issues: [[PayloadIssue]]
    private var uncounted = 0
    private var field = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>, _ names: [StaticString]) {
        // The decoder does not outlive the closure that provides the buffer (`decode`).
        reader = unsafe JSONReader(bytes)
        self.names = names
        issues = Array(repeating: [], count: names.count)
    }

    /// Decodes a body.
    ///
    /// - Parameters:
    ///   - bytes: the body: UTF-8 JSON.
    ///   - names: the fields, in the order in which errors are reported.
    ///   - required: the fields that must be present.
    ///   - value: receives what is read.
    ///   - read: reads the value of a field, given by its index. It overwrites what an earlier duplicate left.
    /// - Returns: the value, or all errors.
    static func decode<Value>(
        _ bytes: UnsafeRawBufferPointer, _ names: [StaticString], required: [Int] = [], into value: Value,
        read: (inout ObjectDecoder, Int, inout Value) throws(JSONSyntaxError) -> Void
    ) -> Result<Value, RejectedPayload> {
        // The decoder does not outlive the closure that provides the buffer. Rebinding to `UInt8` is always valid.
        unsafe bytes.withMemoryRebound(to: UInt8.self) { buffer in
            var decoder = unsafe ObjectDecoder(buffer, names)
            var value = value
            do throws(JSONSyntaxError) {
                let problem = try decoder.object(required) { decoder, field throws(JSONSyntaxError) in
                    try read(&decoder, field, &value)
                }
                if let problem { return .failure(RejectedPayload(issues: [PayloadIssue(problem, at: [])])) }
            } catch {
                let problem = PayloadIssue.Kind.invalidJSON(error.problem.sentence(at: error.offset))
                return .failure(RejectedPayload(issues: [PayloadIssue(problem, at: [.index(error.offset)])]))
            }
            return decoder.rejection.map { .failure($0) } ?? .success(value)
        }
    }

    /// Reads the object.
    ///
    /// - Returns: what is wrong if it is no object.
    private mutating func object(
        _ required: [Int], _ read: (inout ObjectDecoder, Int) throws(JSONSyntaxError) -> Void
    ) throws(JSONSyntaxError) -> PayloadIssue.Kind? {
        if reader.isEmpty { return .missing }
        reader.skipWhitespace()
        guard reader.next == UInt8(ascii: "{") else {
            try reader.skipValue()
            try reader.finish()
            return .objectExpected
        }
        try reader.open()
        var first = true
        var seen: Set<Int> = []
        while let key = try reader.nextKey(first: &first) {
            guard let known = names.firstIndex(where: { reader.equals(key, $0) }) else {
                try reader.skipValue()
                continue
            }
            field = known
            issues[field] = []
            seen.insert(field)
            try read(&self, field)
        }
        try reader.finish()
        for missing in required where !seen.contains(missing) {
            field = missing
            reject(.missing)
        }
        return nil
    }

    private var rejection: RejectedPayload? {
        let all = issues.joined()
        guard !all.isEmpty else { return nil }
        var listed = Array(all.prefix(IssueCollector.maximum))
        let left = all.count - listed.count + uncounted
        if left > 0 { listed.append(PayloadIssue(.tooManyErrors(left: left), at: [])) }
        return RejectedPayload(issues: listed)
    }

    /// Records an error of the current field.
    ///
    /// - Parameters:
    ///   - kind: the error.
    ///   - below: the path below the field.
    mutating func reject(_ kind: PayloadIssue.Kind, below: [PayloadIssue.Location] = []) {
        if issues[field].count < Self.maximumIssues {
            issues[field].append(PayloadIssue(kind, at: [.key("\(names[field])")] + below))
        } else {
            uncounted += 1
        }
    }

    private mutating func rejectValue(
        _ kind: PayloadIssue.Kind, below: [PayloadIssue.Location] = []
    ) throws(JSONSyntaxError) {
        reject(kind, below: below)
        try reader.skipValue()
    }

    // MARK: Values

    /// Consumes `null` if it is next.
    mutating func null() throws(JSONSyntaxError) -> Bool {
        guard reader.next == UInt8(ascii: "n") else { return false }
        try reader.consumeWord("null")
        return true
    }

    /// Reads a string.
    ///
    /// - Parameters:
    ///   - minimum: the smallest number of bytes of UTF-8.
    ///   - maximum: the largest number of bytes of UTF-8.
    ///   - below: the path below the field.
    /// - Returns: the string; `nil` if it was rejected.
    /// - Throws: a syntax error.
    mutating func text(
        minimum: Int = 0, maximum: Int, below: [PayloadIssue.Location] = []
    ) throws(JSONSyntaxError) -> [UInt8]? {
        guard reader.next == UInt8(ascii: "\"") else {
            try rejectValue(.stringExpected, below: below)
            return nil
        }
        let raw = try reader.string()
        var text: [UInt8] = []
        if !reader.append(raw, to: &text) {
            reject(.loneSurrogate, below: below)
        } else if text.count < minimum {
            reject(.stringTooShort(minimum: minimum), below: below)
        } else if text.count > maximum {
            reject(.stringTooLong(maximum: maximum), below: below)
        } else {
            return text.shrunkToFit()
        }
        return nil
    }

    /// Reads one of several strings.
    ///
    /// - Returns: the index of the string; `nil` if it was rejected.
    /// - Throws: a syntax error.
    mutating func word(of allowed: [String]) throws(JSONSyntaxError) -> Int? {
        guard reader.next == UInt8(ascii: "\"") else {
            try rejectValue(.stringExpected)
            return nil
        }
        let raw = try reader.string()
        var text: [UInt8] = []
        _ = reader.append(raw, to: &text)
        if let index = allowed.firstIndex(where: { text.elementsEqual($0.utf8) }) { return index }
        reject(.notAllowed(allowed))
        return nil
    }

    /// Reads a list of strings.
    ///
    /// - Parameters:
    ///   - maximumCount: the largest number of strings.
    ///   - maximum: the largest number of bytes of UTF-8 of one.
    /// - Returns: the strings; `nil` if any was rejected.
    /// - Throws: a syntax error.
    mutating func texts(maximumCount: Int, maximum: Int) throws(JSONSyntaxError) -> [[UInt8]]? {
        guard reader.next == UInt8(ascii: "[") else {
            try rejectValue(.listExpected)
            return nil
        }
        try reader.open()
        var texts: [[UInt8]] = []
        var count = 0
        var first = true
        while try reader.nextElement(first: &first) {
            if count >= maximumCount {
                try reader.skipValue()
            } else if let text = try text(maximum: maximum, below: [.index(count)]) {
                texts.append(text)
            }
            count += 1
        }
        if count > maximumCount { reject(.tooLong(maximum: maximumCount, actual: count)) }
        return issues[field].isEmpty ? texts : nil
    }

    /// Reads a 64-bit integer.
    ///
    /// - Parameter minimum: the smallest value; `nil` for any.
    /// - Returns: the number; `nil` if it was rejected.
    /// - Throws: a syntax error.
    mutating func integer(minimum: Int64? = nil) throws(JSONSyntaxError) -> Int64? {
        let isNumber = reader.next == UInt8(ascii: "-") || reader.next &- UInt8(ascii: "0") < 10
        guard isNumber else {
            let isToken = reader.next == UInt8(ascii: "N") || reader.next == UInt8(ascii: "I")
            try rejectValue(isToken ? .notFinite : .integerExpected)
            return nil
        }
        switch reader.integer(try reader.number()) {
        case .value(let value):
            guard let minimum, value < minimum else { return value }
            reject(.notGreaterOrEqual(to: Int(minimum)))
        case .fraction: reject(.integerHasFraction)
        case .tooLarge: reject(.integerTooLarge)
        case .notFinite: reject(.notFinite)
        }
        return nil
    }

    /// Reads the config of a run.
    ///
    /// - Returns: a compact object whose keys are escaped in one way, so that equal keys are equal bytes; `nil` if it
    ///   was rejected.
    /// - Throws: a syntax error.
    mutating func config() throws(JSONSyntaxError) -> [UInt8]? {
        guard reader.next == UInt8(ascii: "{") else {
            try rejectValue(.dictionaryExpected)
            return nil
        }
        try reader.open()
        var object: [UInt8] = [UInt8(ascii: "{")]
        var key = JSONWriter()
        var first = true
        while let raw = try reader.nextKey(first: &first) {
            var name: [UInt8] = []
            if !reader.append(raw, to: &name) {
                reject(.loneSurrogate, below: [.key(PayloadIssue.Location.text(ofKey: name[...]))])
            }
            if object.count > 1 { object.append(UInt8(ascii: ",")) }
            key.removeAll()
            key.string(name)
            object += key.bytes
            object.append(UInt8(ascii: ":"))
            try reader.copyValue(to: &object)
        }
        object.append(UInt8(ascii: "}"))
        return issues[field].isEmpty ? object : nil
    }
}
