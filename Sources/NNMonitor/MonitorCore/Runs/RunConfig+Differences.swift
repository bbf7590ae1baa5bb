extension RunConfig {
    /// Appends the members of two configs that differ: `{KEY:{"a":VALUE,"b":VALUE},…}`, with `null` for a member that a
    /// config does not have.
    ///
    /// Values are compared as JSON: the order of keys in an object and the spelling of a number do not matter.
    package static func appendDifferences(_ a: RunConfig, _ b: RunConfig, to writer: inout JSONWriter) {
        let (membersA, membersB) = (a.members, b.members)
        var others: [ArraySlice<UInt8>: ArraySlice<UInt8>] = [:]
        for member in membersB { others[member.key] = member.value }
        writer.byte(UInt8(ascii: "{"))
        var isFirst = true
        func append(_ key: ArraySlice<UInt8>, _ a: ArraySlice<UInt8>?, _ b: ArraySlice<UInt8>?) {
            if !isFirst { writer.byte(UInt8(ascii: ",")) }
            isFirst = false
            writer.byte(UInt8(ascii: "\""))
            writer.raw(key)
            writer.literal("\":{\"a\":")
            if let a { writer.raw(a) } else { writer.literal("null") }
            writer.literal(",\"b\":")
            if let b { writer.raw(b) } else { writer.literal("null") }
            writer.byte(UInt8(ascii: "}"))
        }
        for member in membersA {
            let other = others.removeValue(forKey: member.key)
            if let other, other == member.value || CanonicalJSON.text(of: other) == CanonicalJSON.text(of: member.value)
            {
                continue
            }
            append(member.key, member.value, other)
        }
        for member in membersB where others[member.key] != nil { append(member.key, nil, member.value) }
        writer.byte(UInt8(ascii: "}"))
    }
}

/// Writes JSON so that equal values are equal bytes.
enum CanonicalJSON {
    /// The canonical form of a value that has been decoded before, so its syntax is valid.
    static func text(of json: ArraySlice<UInt8>) -> [UInt8] {
        var writer = JSONWriter(capacity: json.count)
        // The reader does not outlive the closure that provides the buffer.
        unsafe json.withUnsafeBufferPointer { buffer in
            var reader = unsafe JSONReader(buffer)
            do throws(JSONSyntaxError) {
                try append(&reader, to: &writer)
            } catch {
                preconditionFailure("the decoder writes valid JSON")
            }
        }
        return writer.bytes
    }

    private static func append(_ reader: inout JSONReader, to writer: inout JSONWriter) throws(JSONSyntaxError) {
        switch reader.next {
        case UInt8(ascii: "{"): try appendObject(&reader, to: &writer)
        case UInt8(ascii: "["):
            try reader.open()
            writer.byte(UInt8(ascii: "["))
            var isFirst = true
            while true {
                let needsComma = !isFirst
                guard try reader.nextElement(first: &isFirst) else { break }
                if needsComma { writer.byte(UInt8(ascii: ",")) }
                try append(&reader, to: &writer)
            }
            writer.byte(UInt8(ascii: "]"))
        case UInt8(ascii: "\""):
            var text: [UInt8] = []
            // Half of a surrogate pair is not resolved: such a string only equals itself.
            let string = try reader.string()
            if reader.append(string, to: &text) {
                writer.string(text)
            } else {
                writer.string(reader.bytes(string.range))
            }
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let number = try reader.number()
            // Longer integers may not fit into a double.
            if number.range.count > 15, !reader.bytes(number.range).contains(where: { ".eE".utf8.contains($0) }) {
                writer.raw(reader.bytes(number.range))
            } else {
                writer.double(reader.double(number))
            }
        default:
            let start = reader.offset
            try reader.skipValue()
            writer.raw(reader.bytes(start..<reader.offset))
        }
    }

    /// Sorts the members by their keys; of members with one key, the last counts.
    private static func appendObject(_ reader: inout JSONReader, to writer: inout JSONWriter) throws(JSONSyntaxError) {
        try reader.open()
        var members: [[UInt8]: [UInt8]] = [:]
        var isFirst = true
        while let key = try reader.nextKey(first: &isFirst) {
            var name: [UInt8] = []
            if !reader.append(key, to: &name) { name = reader.bytes(key.range) }
            var value = JSONWriter()
            try append(&reader, to: &value)
            members[name] = value.bytes
        }
        writer.byte(UInt8(ascii: "{"))
        for (index, member) in members.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }).enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.string(member.key)
            writer.byte(UInt8(ascii: ":"))
            writer.raw(member.value)
        }
        writer.byte(UInt8(ascii: "}"))
    }
}

extension JSONReader {
    fileprivate func bytes(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        text.append(range, to: &bytes)
        return bytes
    }
}
