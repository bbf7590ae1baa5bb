/// Encodes parts of buckets as 32-bit floats (SCHEMA.md, "Matrix").
///
/// Memory: `write(_:of:to:)` checks that the destination has room for one float for each bucket of the block. The loops
/// write as many, and keep no pointer.
package enum MatrixEncoder {
    /// The bits where nothing was posted: a quiet NaN.
    private static let missing: UInt32 = 0x7FC0_0000
    /// The bits of a posted NaN; for a minimum or maximum, of a bucket without a finite value.
    private static let notFinite: UInt32 = 0x7FC0_0001

    /// The size of a part of a block, in bytes.
    package static func size(of block: SeriesBlock) -> Int { block.last.count * MemoryLayout<UInt32>.size }

    /// Writes one part of a block, row by row, in little-endian byte order.
    ///
    /// The loops have no branches and call nothing, so that the compiler vectorizes them.
    ///
    /// - Parameters:
    ///   - part: the part, which the block must have.
    ///   - block: the buckets.
    ///   - destination: memory of at least `size(of: block)` bytes.
    package static func write(
        _ part: SeriesPart, of block: SeriesBlock, to destination: UnsafeMutableRawBufferPointer
    ) {
        // The capacity is checked here once; every loop writes one number for each bucket of the block.
        precondition(destination.count >= size(of: block), "the destination is too small")
        guard let start = destination.baseAddress else { return }
        switch part {
        case .last: unsafe writeLast(block.last.span, start)
        case .max: unsafe writeBound(block.maximum.span, block.last.span, start)
        case .min: unsafe writeBound(block.minimum.span, block.last.span, start)
        case .nonfinite: unsafe writeCount(block.nonfinite.span, block.last.span, start)
        }
    }

    private static func writeLast(_ last: Span<Double>, _ start: UnsafeMutableRawPointer) {
        for index in last.indices {
            let value = last[index]
            let nan = MissingValue.isMissing(value) ? missing : notFinite
            let bits = value.isNaN ? nan : Float(value).bitPattern
            unsafe start.storeBytes(of: bits.littleEndian, toByteOffset: index &* 4, as: UInt32.self)
        }
    }

    /// A bound is infinite where no value is finite. In derived metrics it is NaN: they have none.
    private static func writeBound(
        _ bound: Span<Double>, _ last: Span<Double>, _ start: UnsafeMutableRawPointer
    ) {
        precondition(bound.count == last.count, "the block has the part")
        for index in last.indices {
            let value = bound[index]
            let nan = MissingValue.isMissing(last[index]) || value.isNaN ? missing : notFinite
            let bits = value.isFinite ? Float(value).bitPattern : nan
            unsafe start.storeBytes(of: bits.littleEndian, toByteOffset: index &* 4, as: UInt32.self)
        }
    }

    private static func writeCount(
        _ counts: Span<UInt32>, _ last: Span<Double>, _ start: UnsafeMutableRawPointer
    ) {
        precondition(counts.count == last.count, "the block has the part")
        for index in last.indices {
            let bits = MissingValue.isMissing(last[index]) ? missing : Float(counts[index]).bitPattern
            unsafe start.storeBytes(of: bits.littleEndian, toByteOffset: index &* 4, as: UInt32.self)
        }
    }
}
