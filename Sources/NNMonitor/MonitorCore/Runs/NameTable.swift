package import Foundations

/// Distinct names in order of their first appearance.
///
/// Flat arrays: a name costs its bytes and about twelve more, and the memory of the table is known exactly.
package struct NameTable: Sendable {
    private var text: [UInt8] = []
    /// The end of each name in `text`.
    private var ends: [UInt32] = []
    /// A hash table of indices, -1 for a free slot. Its size is a power of two, and at least twice the number of names,
    /// so every probe sequence reaches a free slot.
    private var slots: [Int32] = []

    /// The number of names.
    package var count: Int { ends.count }

    /// The bytes of a name.
    package subscript(index: Int) -> ArraySlice<UInt8> {
        text[(index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index])]
    }

    /// All names.
    package var names: [ByteString] { (0..<count).map { ByteString(decoding: Array(self[$0])) } }

    /// The index of a name; `nil` if the table does not have it.
    package func index(of name: ArraySlice<UInt8>) -> Int? {
        guard !slots.isEmpty else { return nil }
        let found = slots[slot(of: name)]
        return found < 0 ? nil : Int(found)
    }

    /// Whether the table has a name.
    package func contains(_ name: StaticString) -> Bool { index(of: Array("\(name)".utf8)[...]) != nil }

    /// Adds a name unless the table has it.
    mutating func insert(_ name: ArraySlice<UInt8>) {
        if index(of: name) != nil { return }
        if (ends.count + 1) * 2 > slots.count { grow() }
        slots[slot(of: name)] = Int32(ends.count)
        text += name
        ends.append(UInt32(text.count))
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: max(8, slots.count * 2))
        for index in 0..<count { slots[slot(of: self[index])] = Int32(index) }
    }

    /// The slot that has a name, or the free slot where it belongs.
    private func slot(of name: ArraySlice<UInt8>) -> Int {
        // `Hasher` is randomly seeded per process, so a client cannot choose names that collide.
        var hasher = Hasher()
        // The pointer is used only inside the closure; `combine(bytes:)` keeps no reference to it.
        unsafe name.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        var slot = hasher.finalize() & (slots.count - 1)
        while slots[slot] >= 0, self[Int(slots[slot])] != name { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    /// Heap bytes of the arrays.
    var heapBytes: Int { text.heapBytes + ends.heapBytes + slots.heapBytes }
}
