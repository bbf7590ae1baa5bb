/// Decodes `layer_groups` into the JSON that is served.
///
/// The JSON is written to one array while reading, so nothing is allocated per group.
extension PayloadDecoder {
    /// The state while reading the groups.
    private struct Groups {
        var found = KeyedIssues()
        /// The unescaped names, concatenated, and the end of each.
        var names: [UInt8] = []
        var nameEnds: [Int] = []
        /// An object of all groups, and the range of each `"name":[…]`.
        var json = JSONWriter()
        var bounds: [Range<Int>] = []
        /// The current member, unescaped.
        var member: [UInt8] = []

        var count: Int { nameEnds.count }

        func name(_ index: Int) -> ArraySlice<UInt8> {
            names[(index == 0 ? 0 : nameEnds[index - 1])..<nameEnds[index]]
        }

        /// An object of the groups in `kept`.
        func json(of kept: [Int]) -> [UInt8] {
            var writer = JSONWriter(capacity: json.bytes.count)
            for (index, group) in kept.enumerated() {
                writer.byte(index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
                writer.raw(json.bytes[bounds[group]])
            }
            writer.byte(UInt8(ascii: "}"))
            return writer.bytes
        }
    }

    /// Reads `layer_groups`: null, or an object of lists of strings. An empty list means no groups, because PHP and R
    /// encode an empty dictionary as a list.
    mutating func layerGroups(_ place: PayloadPlace) throws(JSONSyntaxError) {
        step.layout.groupsJSON = []
        if reader.next == UInt8(ascii: "n") { return try reader.consumeWord("null") }
        if reader.consumeEmptyList() { return }
        guard reader.next == UInt8(ascii: "{") else { return try reject(.dictionaryExpected, place) }
        try reader.open()
        var groups = Groups()
        var first = true
        while let key = try reader.nextKey(first: &first) { try group(key, &groups) }
        guard groups.count > 0 else { return }
        groups.json.byte(UInt8(ascii: "}"))
        let last = DuplicateKeys.lastOfEach(count: groups.count, key: groups.name)
        if let last { groups.found.keep(last) }
        groups.found.report(to: &issues, place, key: groups.name)
        step.layout.groupsJSON = last.map(groups.json(of:)) ?? groups.json.bytes
    }

    private mutating func group(_ key: RawString, _ groups: inout Groups) throws(JSONSyntaxError) {
        let occurrence = groups.count
        if !reader.append(key, to: &groups.names) { groups.found.add(.loneSurrogate, occurrence: occurrence) }
        groups.nameEnds.append(groups.names.count)
        groups.json.byte(occurrence == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
        let start = groups.json.bytes.count
        groups.json.string(groups.name(occurrence))
        groups.json.byte(UInt8(ascii: ":"))
        if reader.next == UInt8(ascii: "[") {
            try members(occurrence, &groups)
        } else {
            groups.found.add(.listExpected, occurrence: occurrence)
            try reader.skipValue()
        }
        groups.bounds.append(start..<groups.json.bytes.count)
    }

    private mutating func members(_ occurrence: Int, _ groups: inout Groups) throws(JSONSyntaxError) {
        try reader.open()
        groups.json.byte(UInt8(ascii: "["))
        var first = true
        var index = 0
        while try reader.nextElement(first: &first) {
            if index > 0 { groups.json.byte(UInt8(ascii: ",")) }
            if reader.next == UInt8(ascii: "\"") {
                groups.member.removeAll(keepingCapacity: true)
                if !reader.append(try reader.string(), to: &groups.member) {
                    groups.found.add(.loneSurrogate, occurrence: occurrence, index: index)
                }
                for place in groups.member.indices where groups.member[place] == UInt8(ascii: ".") {
                    groups.member[place] = UInt8(ascii: "/")
                }
                groups.json.string(groups.member)
            } else {
                groups.found.add(.stringExpected, occurrence: occurrence, index: index)
                try reader.skipValue()
            }
            index += 1
        }
        groups.json.byte(UInt8(ascii: "]"))
    }
}
