/// One error in a payload and its location (SCHEMA.md, section "Rejections").
package struct PayloadIssue: Error, Sendable, Equatable {
    /// One component of the path from the body to the value.
    package enum Location: Sendable, Equatable {
        /// A key of an object.
        case key(String)
        /// The index in a list, or the byte offset of a syntax error.
        case index(Int)

        /// The maximum length of a key in a path, in bytes. Without it, a body that is one long key could produce a
        /// response a hundred times its size.
        static let maximumKey = 1024

        /// A posted key as it appears in a path. A longer key is cut at a character boundary and ends in `…`.
        static func text(ofKey bytes: ArraySlice<UInt8>) -> String {
            if bytes.count <= maximumKey { return String(decoding: bytes, as: UTF8.self) }
            var end = bytes.startIndex + maximumKey
            while end > bytes.startIndex && UTF8.isContinuation(bytes[end]) { end -= 1 }
            return String(decoding: bytes[..<end], as: UTF8.self) + "…"
        }
    }

    /// The kinds of errors of SCHEMA.md, section "Rejections".
    package enum Kind: Sendable, Equatable {
        /// A required field is missing.
        case missing
        /// The value must be an object of the schema.
        case objectExpected
        /// The value must be an object with arbitrary keys.
        case dictionaryExpected
        /// The value must be a list.
        case listExpected
        /// The value must be a layer of the open wire: an id, or an object with one.
        case layerExpected
        /// The value must be true or false.
        case booleanExpected
        /// A list has too few items.
        case tooShort(minimum: Int, actual: Int)
        /// A list has too many items.
        case tooLong(maximum: Int, actual: Int)
        /// The config of a run has too many bytes of JSON.
        case configTooLong(maximum: Int, actual: Int)
        /// The value must be a string.
        case stringExpected
        /// A string is too short. The bound is in bytes of UTF-8.
        case stringTooShort(minimum: Int)
        /// A string is too long. The bound is in bytes of UTF-8.
        case stringTooLong(maximum: Int)
        /// A string contains a control character of Unicode.
        case controlCharacter
        /// A run id of `.` or `..`, which URLs cannot contain as a path segment.
        case dotSegment
        /// A string contains an escape for half of a surrogate pair.
        case loneSurrogate
        /// The value must be an integer.
        case integerExpected
        /// A number that must be an integer has a fraction.
        case integerHasFraction
        /// The text of a parameter is not a whole number.
        case textIsNoInteger
        /// The text of a parameter is not a number.
        case textIsNoNumber
        /// An integer does not fit into 64 bits.
        case integerTooLarge
        /// The value must be a number.
        case numberExpected
        /// A number must be greater than the bound.
        case notGreater(than: Int)
        /// A number must be greater than or equal to the bound.
        case notGreaterOrEqual(to: Int)
        /// A number must be less than or equal to the bound.
        case notLessOrEqual(to: Int)
        /// A string is none of the allowed ones.
        case notAllowed([String])
        /// A number is not finite.
        case notFinite
        /// The depth of a layer is less than that of the layer before it.
        case layersOutOfOrder(id: String, depth: Int64, previousID: String, previousDepth: Int64)
        /// The id of a layer, as it is served, is that of an earlier layer.
        case layerRepeated(id: String)
        /// A line of a batch is too long. The bound is in bytes.
        case lineTooLong(maximum: Int)
        /// The body is not valid JSON. The value is a description of the syntax error.
        case invalidJSON(String)
        /// `left` more errors are not listed.
        case tooManyErrors(left: Int)
    }

    /// The kind of error.
    package let kind: Kind
    /// The path from the body to the value, without `body` itself.
    package let location: [Location]

    /// Creates an issue.
    package init(_ kind: Kind, at location: [Location]) {
        self.kind = kind
        self.location = location
    }
}

extension PayloadIssue.Kind {
    /// The `type` of the error in a response.
    package var type: StaticString {
        switch self {
        case .missing: "missing"
        case .objectExpected, .layerExpected: "model_attributes_type"
        case .dictionaryExpected: "dict_type"
        case .listExpected: "list_type"
        case .booleanExpected: "bool_type"
        case .tooShort: "too_short"
        case .tooLong, .lineTooLong, .configTooLong: "too_long"
        case .stringExpected: "string_type"
        case .stringTooShort: "string_too_short"
        case .stringTooLong: "string_too_long"
        case .controlCharacter, .dotSegment: "string_pattern_mismatch"
        case .loneSurrogate: "string_unicode"
        case .integerExpected: "int_type"
        case .integerHasFraction: "int_from_float"
        case .textIsNoInteger: "int_parsing"
        case .textIsNoNumber: "float_parsing"
        case .integerTooLarge: "int_parsing_size"
        case .numberExpected: "float_type"
        case .notGreater: "greater_than"
        case .notGreaterOrEqual: "greater_than_equal"
        case .notLessOrEqual: "less_than_equal"
        case .notAllowed: "enum"
        case .notFinite: "finite_number"
        case .layersOutOfOrder, .layerRepeated: "value_error"
        case .invalidJSON: "json_invalid"
        case .tooManyErrors: "too_many_errors"
        }
    }

    /// The `msg` of the error in a response: one sentence for the user.
    package var message: String {
        switch self {
        case .missing: "This field is required"
        case .objectExpected, .dictionaryExpected: "A JSON object is expected here"
        case .listExpected: "A JSON list is expected here"
        case .layerExpected: "A layer is expected here: its id as a string, or an object with an id"
        case .booleanExpected: "true or false is expected here"
        case .tooShort(let minimum, let actual):
            "The list must have at least \(minimum) item\(minimum == 1 ? "" : "s"), not \(actual)"
        case .tooLong(let maximum, let actual): "The list must have at most \(maximum) items, not \(actual)"
        case .configTooLong(let maximum, let actual):
            "The config may have at most \(maximum) bytes of JSON; merged with the stored one, it has \(actual)"
        case .stringExpected: "A JSON string is expected here"
        case .stringTooShort(let minimum): "The string must have at least \(minimum) byte\(minimum == 1 ? "" : "s")"
        case .stringTooLong(let maximum): "The string must have at most \(maximum) bytes of UTF-8"
        case .controlCharacter: "The string must not contain control characters"
        case .dotSegment: "The run id must not be '.' or '..', because a URL cannot contain these as a path segment"
        case .loneSurrogate: "The string contains one half of a surrogate pair without the other"
        case .integerExpected: "A whole number is expected here"
        case .integerHasFraction: "A whole number is expected here, not one with a fraction"
        case .textIsNoInteger: "A whole number in decimal digits is expected here"
        case .textIsNoNumber: "A decimal number is expected here"
        case .integerTooLarge: "The number does not fit into 64 bits"
        case .numberExpected: "A number is expected here"
        case .notGreater(let bound): "The number must be greater than \(bound)"
        case .notGreaterOrEqual(let bound): "The number must be greater than or equal to \(bound)"
        case .notLessOrEqual(let bound): "The number must be less than or equal to \(bound)"
        case .notAllowed(let values): "One of these values is expected here: \(values.joined(separator: ", "))"
        case .notFinite: "The number must be finite"
        case .layersOutOfOrder(let id, let depth, let previousID, let previousDepth):
            "Layers must be ordered by depth_index: layer '\(id)' (depth_index \(depth)) comes after layer "
                + "'\(previousID)' (depth_index \(previousDepth))"
        case .layerRepeated(let id):
            "Each layer needs an id of its own ('.' counts as '/'): an earlier layer is '\(id)' too"
        case .lineTooLong(let maximum): "A line must have at most \(maximum) bytes"
        case .invalidJSON(let problem): "The body is not valid JSON: \(problem)"
        case .tooManyErrors(let left): "\(left) more errors are not listed"
        }
    }

    /// Writes the `ctx` of the error in a response, if the kind has one.
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
        case .notLessOrEqual(let bound): context("le", bound)
        case .stringTooShort(let minimum): context("min_length", minimum)
        case .stringTooLong(let maximum): context("max_length", maximum)
        case .lineTooLong(let maximum): context("max_length", maximum)
        case .tooShort(let minimum, let actual):
            context("min_length", minimum)
            writer.literal(",\"actual_length\":")
            writer.integer(Int64(actual))
        case .tooLong(let maximum, let actual), .configTooLong(let maximum, let actual):
            context("max_length", maximum)
            writer.literal(",\"actual_length\":")
            writer.integer(Int64(actual))
        default: return
        }
        writer.byte(UInt8(ascii: "}"))
    }
}

/// A part of a request: the first component of an error's path.
package enum RequestPart: Sendable {
    /// The body.
    case body
    /// The path of the address.
    case path
    /// The query of the address.
    case query

    /// The component.
    var name: StaticString {
        switch self {
        case .body: "body"
        case .path: "path"
        case .query: "query"
        }
    }
}

/// The errors of a rejected payload.
package struct RejectedPayload: Error, Sendable, Equatable {
    /// The errors in schema order: at most 100, and one more that counts the rest.
    package let issues: [PayloadIssue]
    /// The part of the request to which the paths belong.
    package let part: RequestPart

    /// - Parameters:
    ///   - issues: the errors; at least one.
    ///   - part: the part of the request to which their paths belong.
    package init(issues: [PayloadIssue], part: RequestPart = .body) {
        self.issues = issues
        self.part = part
    }

    /// Appends the errors as the JSON list `detail` of a response.
    package func appendDetail(to writer: inout JSONWriter) {
        writer.byte(UInt8(ascii: "["))
        for (index, issue) in issues.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.literal("{\"type\":\"")
            writer.literal(issue.kind.type)
            writer.literal("\",\"loc\":[\"")
            writer.literal(part.name)
            writer.byte(UInt8(ascii: "\""))
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

    /// The response body: `{"detail":[…]}`.
    package func body() -> [UInt8] {
        var writer = JSONWriter()
        writer.literal("{\"detail\":")
        appendDetail(to: &writer)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes
    }
}
