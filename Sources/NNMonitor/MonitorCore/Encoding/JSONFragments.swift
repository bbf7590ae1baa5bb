/// Pre-encoded JSON fragments, concatenated in one array.
struct JSONFragments: Sendable {
    /// The end of a fragment. `UInt32` suffices: fragments are at most four times the size of the body, which is at
    /// most 1 GiB. The dimensions of shapes reach that factor (`1e18,` is served with nineteen digits).
    typealias Offset = UInt32

    let bytes: [UInt8]
    let ends: [Offset]

    init(count: Int, _ write: (Int, inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        var ends: [Offset] = []
        ends.reserveCapacity(count)
        for index in 0..<count {
            write(index, &writer)
            ends.append(Offset(writer.bytes.count))
        }
        bytes = writer.bytes.shrunkToFit()
        self.ends = ends.shrunkToFit()
    }

    @inline(__always)
    private func bounds(_ index: Int) -> Range<Int> { (index == 0 ? 0 : Int(ends[index - 1]))..<Int(ends[index]) }

    subscript(index: Int) -> ArraySlice<UInt8> { bytes[bounds(index)] }

    /// The size of one fragment, in bytes.
    @inline(__always)
    func size(_ index: Int) -> Int { bounds(index).count }

    /// Writes one fragment.
    @inline(__always)
    func write(_ index: Int, to cursor: inout ByteCursor) {
        cursor.raw(bytes.span.extracting(bounds(index)))
    }

    var heapBytes: Int { bytes.heapBytes + ends.heapBytes }
}
