/// The groups of a structure's layers: v1 posts lists of layers by group, the open wire a group with each layer.
struct LayerGroups {
    private let layout: LayerLayout
    /// For each layer, the name of its group.
    private let names: [ArraySlice<UInt8>?]

    init(_ layout: LayerLayout) {
        self.layout = layout
        if layout.groupsJSON.isEmpty {
            names = layout.groupBounds.isEmpty ? [] : (0..<layout.layerCount).map(layout.groupBytes)
        } else {
            let groups = Self.groupsByMember(layout.groupsJSON)
            names = (0..<layout.layerCount).map { groups[layout.idBytes($0)] }
        }
    }

    /// Whether no layer has a group, and none was posted.
    var isEmpty: Bool { layout.groupsJSON.isEmpty && !names.contains { $0 != nil } }

    /// For each layer, the name of its group as a JSON string; empty if it has none.
    func ofLayers() -> JSONFragments {
        JSONFragments(count: names.count) { layer, writer in
            if let name = names[layer] { writer.string(name) }
        }
    }

    /// `layer_groups` as v1 serves it: an object of lists, in order of the first layer of each group.
    func json() -> [UInt8] {
        var order: [ArraySlice<UInt8>] = []
        var members: [ArraySlice<UInt8>: [Int]] = [:]
        for (layer, name) in names.enumerated() {
            guard let name else { continue }
            if members[name] == nil { order.append(name) }
            members[name, default: []].append(layer)
        }
        var writer = JSONWriter()
        writer.byte(UInt8(ascii: "{"))
        for (index, name) in order.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.string(name)
            writer.literal(":[")
            for (position, layer) in (members[name] ?? []).enumerated() {
                if position > 0 { writer.byte(UInt8(ascii: ",")) }
                writer.string(layout.idBytes(layer))
            }
            writer.byte(UInt8(ascii: "]"))
        }
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes
    }

    /// The group of each member of posted groups. A layer in several groups belongs to the first.
    ///
    /// - Parameter json: `layer_groups` as the decoder wrote it.
    /// - Returns: the names of the groups by layer id.
    private static func groupsByMember(_ json: [UInt8]) -> [ArraySlice<UInt8>: ArraySlice<UInt8>] {
        var groups: [ArraySlice<UInt8>: ArraySlice<UInt8>] = [:]
        // The reader does not outlive the closure that provides the buffer.
        unsafe json.withUnsafeBufferPointer { buffer in
            var reader = unsafe JSONReader(buffer)
            func text(_ raw: RawString) -> ArraySlice<UInt8> {
                var bytes: [UInt8] = []
                _ = reader.append(raw, to: &bytes)
                return bytes[...]
            }
            do throws(JSONSyntaxError) {
                try reader.open()
                var isFirstGroup = true
                while let key = try reader.nextKey(first: &isFirstGroup) {
                    let name = text(key)
                    try reader.open()
                    var isFirstMember = true
                    while try reader.nextElement(first: &isFirstMember) {
                        let member = text(try reader.string())
                        if groups[member] == nil { groups[member] = name }
                    }
                }
            } catch {
                preconditionFailure("the decoder writes valid JSON")
            }
        }
        return groups
    }
}
