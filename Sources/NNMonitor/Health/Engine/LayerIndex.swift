import Foundations
import MonitorCore

/// What rules know of a layer. It has no references, so that a copy costs little.
struct LayerFacts: Sendable, BitwiseCopyable {
    /// The depth, or the position if none was posted.
    fileprivate(set) var depth: Int64
    /// Whether it normalises its input.
    fileprivate(set) var isNormalisation: Bool
    /// Whether its parameters are trained.
    fileprivate(set) var isTrainable: Bool
    /// The number of its parameters; `nil` if it was not posted.
    fileprivate(set) var parameterCount: Int64?
    /// The index of the settings that apply to it.
    fileprivate(set) var variant: Int
}

/// The layers of a run, numbered in the order of their first appearance.
struct LayerIndex: Sendable {
    /// The layers.
    private(set) var layers: [LayerFacts] = []
    /// Their ids as they are served.
    private(set) var ids: [ByteString] = []
    private var numbers: [ByteString: Int32] = [:]
    private var table: LayerTable?
    /// For each position in steps with `table` the number of the layer; -1 for an id that v1 repeats.
    private(set) var positions: [Int32] = []
    private var idBytes = 0

    /// Bytes of the lists and ids. Ids are held twice.
    var memory: Int {
        layers.heapBytes + ids.heapBytes + positions.heapBytes + numbers.capacity * 32 + 2 * idBytes
    }

    /// Takes the structure of a step.
    ///
    /// - Parameters:
    ///   - next: the structure.
    ///   - maximum: the largest number of layers; further ones are not judged.
    ///   - variant: the index of the settings that apply to a layer id.
    mutating func use(_ next: LayerTable, maximum: Int, variant: (ArraySlice<UInt8>) -> Int) {
        if table === next { return }
        table = next
        let layout = next.layout
        positions.removeAll(keepingCapacity: true)
        var used: Set<Int32> = []
        for layer in 0..<layout.layerCount {
            let id = ByteString(next.layerID(layer))
            let number = numbers[id] ?? add(id, maximum, variant(layout.idBytes(layer)))
            positions.append(number >= 0 && used.insert(number).inserted ? number : -1)
            guard number >= 0 else { continue }
            let index = Int(number)
            layers[index].depth = layout.depth(layer) ?? Int64(layer)
            let type = next.layerType(layer)
            if !type.isEmpty { layers[index].isNormalisation = type.contains("Norm") }
            layers[index].isTrainable = layout.isTrainable(layer) ?? true
            layers[index].parameterCount = layout.parameterCount(layer) ?? layers[index].parameterCount
        }
    }

    private mutating func add(_ id: ByteString, _ maximum: Int, _ variant: Int) -> Int32 {
        guard layers.count < maximum else { return -1 }
        let number = Int32(layers.count)
        layers.append(
            LayerFacts(
                depth: Int64(number), isNormalisation: false, isTrainable: true, parameterCount: nil,
                variant: variant))
        numbers[id] = number
        ids.append(id)
        idBytes += id.byteCount
        return number
    }

    /// Applies other settings.
    mutating func setVariants(_ variant: (ArraySlice<UInt8>) -> Int) {
        for index in layers.indices { layers[index].variant = variant(Array(ids[index].text.utf8)[...]) }
    }

    /// The position of a layer in another step; `nil` if it has no such layer.
    static func position(of id: ByteString, in table: LayerTable) -> Int? {
        (0..<table.layout.layerCount).first { table.layout.idBytes($0).elementsEqual(id.text.utf8) }
    }
}
