/// Converts a decimal number to the nearest double.
///
/// Uses the Eisel-Lemire algorithm (Lemire, "Number Parsing at a Gigabyte per Second", 2021). One or two
/// multiplications by a 128-bit power of five decide almost every case; the caller handles the rest with arbitrary
/// precision.
enum DecimalConversion {
    /// The powers of ten that a double represents exactly.
    private static let exactPowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The double nearest to `mantissa` x 10^`exponent`; infinity if it exceeds the largest finite double.
    ///
    /// - Parameters:
    ///   - mantissa: a whole number.
    ///   - exponent: a power of ten.
    ///   - powers: the table; pass it when converting many numbers.
    /// - Returns: `nil` if 128 bits of the power do not decide the rounding.
    @inline(__always)
    static func double(mantissa: UInt64, exponent: Int, powers: PowersOfFive = .shared) -> Double? {
        // Both factors are exact, so a single rounding gives the nearest double (Clinger 1990).
        if mantissa <= 1 << 53 && exponent >= -22 && exponent <= 22 {
            let value = Double(mantissa)
            return exponent < 0 ? value / exactPowers[-exponent] : value * exactPowers[exponent]
        }
        return eiselLemire(mantissa, exponent, powers, isNormal: false)
    }

    /// The double nearest to `mantissa` x 10^`exponent`, which must be a normal number: for mantissas above 0 and
    /// exponents between -280 and 280 it is.
    ///
    /// - Parameters:
    ///   - mantissa: a whole number.
    ///   - exponent: a power of ten.
    ///   - powers: the table.
    /// - Returns: `nil` if 128 bits of the power do not decide the rounding, or if the mantissa is 0.
    @inline(__always)
    static func normalDouble(mantissa: UInt64, exponent: Int, powers: PowersOfFive) -> Double? {
        mantissa == 0 ? nil : eiselLemire(mantissa, exponent, powers, isNormal: true)
    }

    /// - Parameters:
    ///   - mantissa: a whole number.
    ///   - exponent: a power of ten.
    ///   - powers: the table.
    ///   - isNormal: whether the result is a normal number; a constant, so that the other cases cost nothing.
    /// - Returns: `nil` if 128 bits of the power do not decide the rounding.
    @inline(__always)
    private static func eiselLemire(
        _ mantissa: UInt64, _ exponent: Int, _ powers: PowersOfFive, isNormal: Bool
    ) -> Double? {
        if !isNormal {
            if mantissa == 0 || exponent < PowersOfFive.smallest { return 0 }
            if exponent > PowersOfFive.largestOfDouble { return .infinity }
        }

        let leadingZeros = mantissa.leadingZeroBitCount
        let normalized = mantissa &<< UInt64(leadingZeros)
        let scale = powers[exponent]
        var product = normalized.multipliedFullWidth(by: scale.high)
        // 55 bits are needed: 53 of the result, one to round, and one because the product may start with a zero bit.
        if product.high & 0x1FF == 0x1FF {
            let second = normalized.multipliedFullWidth(by: scale.low)
            let (low, carry) = product.low.addingReportingOverflow(second.high)
            product.low = low
            product.high &+= carry ? 1 : 0
        }
        if product.low == .max && (exponent < -27 || exponent > 55) { return nil }

        let upperBit = Int(product.high >> 63)
        let shift = UInt64(upperBit &+ 64 &- 52 &- 3)
        var bits = product.high &>> shift
        // floor(exponent x log2(10)) + 63, by a fixed-point approximation that is exact for these exponents.
        let power = ((217_706 &* exponent) >> 16) &+ 63 &+ upperBit &- leadingZeros &+ 1023
        if !isNormal, power <= 0 {
            if -power + 1 >= 64 { return 0 }
            bits >>= UInt64(-power + 1)
            bits += bits & 1
            bits >>= 1
            return Double(bitPattern: bits)  // a carry into the exponent gives the smallest normal number
        }
        // Exactly halfway: round to even. Tested first by the rarest condition.
        if _slowPath(product.low <= 1), exponent >= -4 && exponent <= 23, bits & 3 == 1, bits << shift == product.high {
            bits &= ~1
        }
        bits = (bits &+ (bits & 1)) >> 1
        if !isNormal, power >= 0x7FF { return .infinity }
        // The highest of the 53 bits is not stored: it adds one to the exponent. A carry of the rounding adds another.
        return Double(bitPattern: bits &+ UInt64(truncatingIfNeeded: power &- 1) << 52)
    }
}
