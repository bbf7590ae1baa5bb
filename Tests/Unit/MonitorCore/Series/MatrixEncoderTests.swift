import Testing

@testable import MonitorCore

@Suite struct MatrixEncoderTests {
    private static let missing: UInt32 = 0x7FC0_0000
    private static let notFinite: UInt32 = 0x7FC0_0001

    private func bits(_ part: SeriesPart, _ block: SeriesBlock) -> [UInt32] {
        var bytes = [UInt8](repeating: 0xAA, count: MatrixEncoder.size(of: block) + 1)
        // The memory is valid during the closure.
        unsafe bytes.withUnsafeMutableBytes { unsafe MatrixEncoder.write(part, of: block, to: $0) }
        #expect(bytes.last == 0xAA)
        return stride(from: 0, to: bytes.count - 1, by: 4).map { start in
            bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// One row with given last values.
    private func block(_ last: [Double]) -> SeriesBlock {
        var block = SeriesBlock(rows: 0..<1, bucketCount: last.count, parts: .all)
        block.last = last
        return block
    }

    @Test func `numbers are rounded to the nearest float`() {
        let halfway = Double(Float(1).nextUp) / 2 + 0.5
        let tooLarge = Double(Float.greatestFiniteMagnitude) + 0x1p103
        let values: [Double] = [
            0, -0.0, 1, 0.1, 16_777_217, halfway, tooLarge.nextDown, tooLarge, -tooLarge, 1e300, 1e-60, 0x1p-149,
            0x1p-150, -.infinity, .infinity,
        ]
        #expect(bits(.last, block(values)) == values.map { Float($0).bitPattern })
        #expect(bits(.last, block([tooLarge.nextDown, tooLarge])) == [0x7F7F_FFFF, 0x7F80_0000])
    }

    @Test func `a posted NaN differs from a missing number`() {
        let other = Double(nan: 0x123, signaling: false)
        #expect(
            bits(.last, block([.nan, MissingValue.number, other, -.nan]))
                == [Self.notFinite, Self.missing, Self.notFinite, Self.notFinite])
    }

    @Test func `a bound without a finite value is a NaN of its own kind`() {
        var block = block([2, .nan, MissingValue.number, .infinity, 7])
        block.minimum = [1, .infinity, .infinity, -1e300, MissingValue.number]
        block.maximum = [3, -.infinity, -.infinity, 1e300, MissingValue.number]
        block.nonfinite = [0, 3, 0, 16_777_217, 0]
        #expect(bits(.min, block) == [Float(1).bitPattern, Self.notFinite, Self.missing, 0xFF80_0000, Self.missing])
        #expect(bits(.max, block) == [Float(3).bitPattern, Self.notFinite, Self.missing, 0x7F80_0000, Self.missing])
        #expect(
            bits(.nonfinite, block) == [0, Float(3).bitPattern, Self.missing, Float(16_777_216).bitPattern, 0])
    }

    @Test func `random numbers of any length of row`() {
        for count in 0..<40 {
            let values = (0..<count).map { _ in Double(bitPattern: .random(in: 0...UInt64.max)) }
            #expect(
                bits(.last, block(values)) == values.map { $0.isNaN ? Self.notFinite : Float($0).bitPattern })
        }
    }
}
