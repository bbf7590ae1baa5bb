/// Duplicate keys of a dictionary: the last value wins and takes the position of the first.
enum DuplicateKeys {
    /// Finds the occurrence that counts for each key.
    ///
    /// - Parameters:
    ///   - count: the number of keys.
    ///   - key: the bytes of the key at an index.
    /// - Returns: for each distinct key, in order of first occurrence, the index of its last occurrence; `nil` if all
    ///   keys differ.
    static func lastOfEach(count: Int, key: (Int) -> ArraySlice<UInt8>) -> [Int]? {
        if !hasDuplicates(count: count, key: key) { return nil }
        var places: [ArraySlice<UInt8>: Int] = [:]
        var last: [Int] = []
        for index in 0..<count {
            if let place = places[key(index)] {
                last[place] = index
            } else {
                places[key(index)] = last.count
                last.append(index)
            }
        }
        return last
    }

    /// Finds the keys that an earlier key equals.
    ///
    /// - Parameters:
    ///   - count: the number of keys.
    ///   - key: the bytes of the key at an index.
    /// - Returns: their indices, ascending.
    static func repeats(count: Int, key: (Int) -> ArraySlice<UInt8>) -> [Int] {
        if !hasDuplicates(count: count, key: key) { return [] }
        var seen: Set<ArraySlice<UInt8>> = []
        return (0..<count).filter { !seen.insert(key($0)).inserted }
    }

    /// Compares up to 16 keys in pairs. For more, one hash table of indices avoids an allocation per key.
    private static func hasDuplicates(count: Int, key: (Int) -> ArraySlice<UInt8>) -> Bool {
        if count <= 16 {
            return (0..<count).contains { index in (0..<index).contains { key($0) == key(index) } }
        }
        // The number of slots is a power of two and at least 2 x `count`, so every probe sequence reaches a free slot.
        let slots = 1 << (Int.bitWidth - (2 * count - 1).leadingZeroBitCount)
        var table = [Int32](repeating: -1, count: slots)
        for index in 0..<count {
            let bytes = key(index)
            // `Hasher` is randomly seeded per process, so a client cannot choose keys that collide.
            var hasher = Hasher()
            // The pointer is used only inside the closure; `combine(bytes:)` keeps no reference to it.
            unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
            var slot = hasher.finalize() & (slots - 1)
            while table[slot] >= 0 {
                if key(Int(table[slot])) == bytes { return true }
                slot = (slot + 1) & (slots - 1)
            }
            table[slot] = Int32(truncatingIfNeeded: index)
        }
        return false
    }
}
