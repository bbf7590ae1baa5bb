extension Array where Element: BitwiseCopyable {
    /// Copies the elements into an array without spare capacity.
    ///
    /// The store counts memory by elements. The decoder reserves capacity by payload length, and a payload may be
    /// mostly white space.
    ///
    /// - Returns: the array itself if its spare capacity is at most 128 bytes.
    func shrunkToFit() -> [Element] {
        if (capacity - count) * MemoryLayout<Element>.stride <= 128 { return self }
        // The closure initializes all `count` elements from an array of `count` elements.
        return unsafe Array(unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = unsafe buffer.initialize(fromContentsOf: self)
        }
    }
}

extension Array {
    /// Heap bytes of the array: its capacity, a header of 32 bytes and the allocator's overhead.
    package var heapBytes: Int { capacity == 0 ? 0 : 48 + capacity * MemoryLayout<Element>.stride }
}
