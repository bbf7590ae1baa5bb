extension Array where Element: BitwiseCopyable {
    /// The same elements without memory to spare. What is kept for long is counted by its elements, and the decoder
    /// reserves by the length of a payload, which may be white space.
    ///
    /// - Returns: the array itself where next to nothing is to spare.
    func fitted() -> [Element] {
        if (capacity - count) * MemoryLayout<Element>.stride <= 128 { return self }
        // All `count` places are initialized from as many elements.
        return unsafe Array(unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = unsafe buffer.initialize(fromContentsOf: self)
        }
    }
}

extension Array {
    /// Bytes that the array takes of the heap: its places, a header of 32 bytes, and what an allocation adds.
    var heapBytes: Int { capacity == 0 ? 0 : 48 + capacity * MemoryLayout<Element>.stride }
}
