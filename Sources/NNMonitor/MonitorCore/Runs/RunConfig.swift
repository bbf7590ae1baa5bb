/// The config of a run: one compact JSON object, whose members are kept as they were posted.
package struct RunConfig: Sendable, Equatable {
    /// The largest size of the JSON text, in bytes.
    package static let maximumSize = 256 << 10

    /// The object; empty if it has no member.
    private let json: [UInt8]

    /// An empty config.
    package init() { json = [] }

    private init(json: [UInt8]) { self.json = json.shrunkToFit() }

    /// Appends the object.
    package func append(to writer: inout JSONWriter) {
        if json.isEmpty { writer.literal("{}") } else { writer.raw(json) }
    }

    /// The size of the JSON text, in bytes.
    var size: Int { max(2, json.count) }

    /// Heap bytes of the text.
    var heapBytes: Int { json.heapBytes }

    /// The config with the members of a posted one: they replace members with the same key, or delete them if they are
    /// null. The last of duplicate keys wins.
    ///
    /// - Parameter posted: a compact JSON object as `ObjectDecoder.config` writes it.
    /// - Returns: the merged config.
    package func merged(with posted: [UInt8]) -> RunConfig {
        var members = Self.members(of: json)
        var positions: [ArraySlice<UInt8>: Int] = [:]
        for (position, member) in members.enumerated() { positions[member.key] = position }
        for member in Self.members(of: posted) {
            if let position = positions[member.key] {
                members[position] = member
            } else {
                positions[member.key] = members.count
                members.append(member)
            }
        }
        members.removeAll { $0.value.elementsEqual("null".utf8) }
        guard !members.isEmpty else { return RunConfig() }
        var text: [UInt8] = []
        for member in members {
            text.append(UInt8(ascii: text.isEmpty ? "{" : ","))
            text.append(UInt8(ascii: "\""))
            text += member.key
            text += "\":".utf8
            text += member.value
        }
        text.append(UInt8(ascii: "}"))
        return RunConfig(json: text)
    }

    /// The members: keys without their quotes, and values. Equal keys are written equally.
    var members: [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] { Self.members(of: json) }

    /// The members of a compact object: keys without their quotes, and values. Equal keys are written equally.
    private static func members(of json: [UInt8]) -> [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] {
        guard !json.isEmpty else { return [] }
        var members: [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] = []
        // The reader does not outlive the closure that provides the buffer.
        unsafe json.withUnsafeBufferPointer { buffer in
            var reader = unsafe JSONReader(buffer)
            do throws(JSONSyntaxError) {
                try reader.open()
                var first = true
                while let key = try reader.nextKey(first: &first) {
                    let start = reader.offset
                    try reader.skipValue()
                    members.append((json[key.range], json[start..<reader.offset]))
                }
            } catch {
                preconditionFailure("the decoder writes valid JSON")
            }
        }
        return members
    }
}
