/// Turns a decimal number into the nearest double.
///
/// The algorithm of Eisel and Lemire ("Number Parsing at a Gigabyte per Second", 2021): one or two multiplications by a
/// 128-bit power of five decide all but a few cases, which the caller settles with arbitrary precision.
enum DecimalConversion {
    /// The powers of ten that a double holds exactly.
    private static let exactPowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The double nearest to `mantissa` x 10^`exponent`; infinity when it is beyond the greatest double.
    ///
    /// - Parameters:
    ///   - mantissa: a whole number.
    ///   - exponent: of ten.
    ///   - powers: the table, for who converts many numbers.
    /// - Returns: `nil` when 128 bits don't decide it.
    @inline(__always)
    static func double(mantissa: UInt64, exponent: Int, powers: PowersOfFive = .shared) -> Double? {
        // Both factors are exact, so that one rounding gives the nearest (Clinger 1990).
        if mantissa <= 1 << 53 && exponent >= -22 && exponent <= 22 {
            let value = Double(mantissa)
            return exponent < 0 ? value / exactPowers[-exponent] : value * exactPowers[exponent]
        }
        return eiselLemire(mantissa, exponent, powers)
    }

    private static func eiselLemire(_ mantissa: UInt64, _ exponent: Int, _ powers: PowersOfFive) -> Double? {
        if mantissa == 0 || exponent < PowersOfFive.smallest { return 0 }
        if exponent > PowersOfFive.largestOfDouble { return .infinity }

        let leadingZeros = mantissa.leadingZeroBitCount
        let normalized = mantissa << UInt64(leadingZeros)
        let scale = powers[exponent]
        var product = normalized.multipliedFullWidth(by: scale.high)
        // 55 bits are needed: 53, one to round, one because the product may begin with a zero.
        if product.high & 0x1FF == 0x1FF {
            let second = normalized.multipliedFullWidth(by: scale.low)
            let (low, carry) = product.low.addingReportingOverflow(second.high)
            product.low = low
            if carry { product.high += 1 }
        }
        if product.low == .max && (exponent < -27 || exponent > 55) { return nil }

        let upperBit = Int(product.high >> 63)
        let shift = UInt64(upperBit + 64 - 52 - 3)
        var bits = product.high >> shift
        // floor(exponent x log2(10)) + 63, by a fixed-point approximation that is exact in this range.
        var power = ((217_706 * exponent) >> 16) + 63 + upperBit - leadingZeros + 1023
        if power <= 0 {
            if -power + 1 >= 64 { return 0 }
            bits >>= UInt64(-power + 1)
            bits += bits & 1
            bits >>= 1
            return Double(bitPattern: bits)  // a carry into the exponent makes the least normal number, as it should
        }
        // Exactly half way: round to even, not up.
        if product.low <= 1 && exponent >= -4 && exponent <= 23 && bits & 3 == 1 && bits << shift == product.high {
            bits &= ~1
        }
        bits += bits & 1
        bits >>= 1
        if bits >= 2 << 52 {
            bits = 1 << 52
            power += 1
        }
        if power >= 0x7FF { return .infinity }
        return Double(bitPattern: bits & ~(1 << 52) | UInt64(power) << 52)
    }
}
