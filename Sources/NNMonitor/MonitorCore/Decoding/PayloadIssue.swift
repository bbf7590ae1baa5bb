/// One thing that is wrong with a payload: what, and where.
package struct PayloadIssue: Error, Sendable, Equatable {
    /// A step of the way from the body to the value.
    package enum Location: Sendable, Equatable {
        case key(String)
        case index(Int)

        /// Bytes of a key that are told. A path is for finding the place, and an answer must not grow to a hundred times
        /// a body that is one long key.
        static let maximumKey = 1024

        /// A posted key as a path tells it: a longer one is cut between two characters and ends in `…`.
        static func text(ofKey bytes: ArraySlice<UInt8>) -> String {
            if bytes.count <= maximumKey { return String(decoding: bytes, as: UTF8.self) }
            var end = bytes.startIndex + maximumKey
            while end > bytes.startIndex && UTF8.isContinuation(bytes[end]) { end -= 1 }
            return String(decoding: bytes[..<end], as: UTF8.self) + "…"
        }
    }

    /// What is wrong, as the wire contract's table of rejections names it.
    package enum Kind: Sendable, Equatable {
        case missing
        case objectExpected
        case dictionaryExpected
        case listExpected
        case tooShort(minimum: Int, actual: Int)
        case tooLong(maximum: Int, actual: Int)
        case stringExpected
        case stringTooShort(minimum: Int)
        case stringTooLong(maximum: Int)
        case controlCharacter
        /// A run id that URLs remove: `.` or `..`.
        case dotSegment
        case loneSurrogate
        case integerExpected
        case integerHasFraction
        case integerTooLarge
        case numberExpected
        case notGreater(than: Int)
        case notGreaterOrEqual(to: Int)
        case notFinite
        case layersOutOfOrder(id: String, depth: Int64, previousID: String, previousDepth: Int64)
        case invalidJSON(String)
        case tooManyErrors(left: Int)
    }

    /// What is wrong.
    package let kind: Kind
    /// Where: the way from the body, `body` itself not included.
    package let location: [Location]

    package init(_ kind: Kind, at location: [Location]) {
        self.kind = kind
        self.location = location
    }
}

extension PayloadIssue.Kind {
    /// The contract's `type`.
    package var type: StaticString {
        switch self {
        case .missing: "missing"
        case .objectExpected: "model_attributes_type"
        case .dictionaryExpected: "dict_type"
        case .listExpected: "list_type"
        case .tooShort: "too_short"
        case .tooLong: "too_long"
        case .stringExpected: "string_type"
        case .stringTooShort: "string_too_short"
        case .stringTooLong: "string_too_long"
        case .controlCharacter, .dotSegment: "string_pattern_mismatch"
        case .loneSurrogate: "string_unicode"
        case .integerExpected: "int_type"
        case .integerHasFraction: "int_from_float"
        case .integerTooLarge: "int_parsing_size"
        case .numberExpected: "float_type"
        case .notGreater: "greater_than"
        case .notGreaterOrEqual: "greater_than_equal"
        case .notFinite: "finite_number"
        case .layersOutOfOrder: "value_error"
        case .invalidJSON: "json_invalid"
        case .tooManyErrors: "too_many_errors"
        }
    }

    /// The contract's `msg`: one sentence for a person.
    package var message: String {
        switch self {
        case .missing: "This field is required"
        case .objectExpected, .dictionaryExpected: "A JSON object is expected here"
        case .listExpected: "A JSON list is expected here"
        case .tooShort(let minimum, let actual):
            "At least \(minimum) \(minimum == 1 ? "item is" : "items are") needed here, not \(actual)"
        case .tooLong(let maximum, let actual): "At most \(maximum) items are allowed here, not \(actual)"
        case .stringExpected: "A JSON string is expected here"
        case .stringTooShort(let minimum): "The string must have at least \(minimum) byte\(minimum == 1 ? "" : "s")"
        case .stringTooLong(let maximum): "The string must have at most \(maximum) bytes of UTF-8"
        case .controlCharacter: "The string must not contain control characters"
        case .dotSegment: "The run id must not be '.' or '..', because no URL can name such a run"
        case .loneSurrogate: "The string contains half of a surrogate pair, which is no character"
        case .integerExpected: "A whole number is expected here"
        case .integerHasFraction: "A whole number is expected here, not one with a fraction"
        case .integerTooLarge: "The number does not fit into 64 bits"
        case .numberExpected: "A number is expected here"
        case .notGreater(let bound): "The number must be greater than \(bound)"
        case .notGreaterOrEqual(let bound): "The number must be greater than or equal to \(bound)"
        case .notFinite: "The number must be finite"
        case .layersOutOfOrder(let id, let depth, let previousID, let previousDepth):
            "Layers must be ordered by depth_index: layer '\(id)' (depth_index \(depth)) comes after layer "
                + "'\(previousID)' (depth_index \(previousDepth))"
        case .invalidJSON(let problem): "The body is not valid JSON: \(problem)"
        case .tooManyErrors(let left): "\(left) more errors are not listed"
        }
    }

    /// Writes the contract's `ctx`, where the kind has one.
    func appendContext(to writer: inout JSONWriter) {
        func context(_ key: StaticString, _ value: Int) {
            writer.literal(",\"ctx\":{\"")
            writer.literal(key)
            writer.literal("\":")
            writer.integer(Int64(value))
        }
        switch self {
        case .notGreater(let bound): context("gt", bound)
        case .notGreaterOrEqual(let bound): context("ge", bound)
        case .stringTooShort(let minimum): context("min_length", minimum)
        case .stringTooLong(let maximum): context("max_length", maximum)
        case .tooShort(let minimum, let actual):
            context("min_length", minimum)
            writer.literal(",\"actual_length\":")
            writer.integer(Int64(actual))
        case .tooLong(let maximum, let actual):
            context("max_length", maximum)
            writer.literal(",\"actual_length\":")
            writer.integer(Int64(actual))
        default: return
        }
        writer.byte(UInt8(ascii: "}"))
    }
}

/// A payload that was not accepted, with everything that is wrong with it.
package struct RejectedPayload: Error, Sendable, Equatable {
    /// The issues, in schema order: at most 100, and one that counts the rest.
    package let issues: [PayloadIssue]

    /// Appends the list of issues as the contract's `detail` has it.
    package func appendDetail(to writer: inout JSONWriter) {
        writer.byte(UInt8(ascii: "["))
        for (index, issue) in issues.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.literal("{\"type\":\"")
            writer.literal(issue.kind.type)
            writer.literal("\",\"loc\":[\"body\"")
            for location in issue.location {
                writer.byte(UInt8(ascii: ","))
                switch location {
                case .key(let key): writer.string(key)
                case .index(let index): writer.integer(Int64(index))
                }
            }
            writer.literal("],\"msg\":")
            writer.string(issue.kind.message)
            issue.kind.appendContext(to: &writer)
            writer.byte(UInt8(ascii: "}"))
        }
        writer.byte(UInt8(ascii: "]"))
    }

    /// The whole body of the answer: `{"detail":[…]}`.
    package func body() -> [UInt8] {
        var writer = JSONWriter()
        writer.literal("{\"detail\":")
        appendDetail(to: &writer)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes
    }
}
