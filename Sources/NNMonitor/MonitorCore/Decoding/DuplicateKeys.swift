/// The rule for keys that come twice in a dictionary: the last value wins, at the place of the first.
enum DuplicateKeys {
    /// - Returns: for each distinct key, in order of first appearance, the index of its last; `nil` when all differ.
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

    /// Few keys are compared in pairs, many through one table of their positions: nothing is allocated for each.
    private static func hasDuplicates(count: Int, key: (Int) -> ArraySlice<UInt8>) -> Bool {
        if count <= 16 {
            return (0..<count).contains { index in (0..<index).contains { key($0) == key(index) } }
        }
        // A power of two of at least twice as many slots: there is always a free one to end a search.
        let slots = 1 << (Int.bitWidth - (2 * count - 1).leadingZeroBitCount)
        var table = [Int32](repeating: -1, count: slots)
        for index in 0..<count {
            let bytes = key(index)
            // Seeded at random for each process, so that nobody can post keys that collide.
            var hasher = Hasher()
            // The bytes are lent for the call; the hasher has read them when it returns.
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
