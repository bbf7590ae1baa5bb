/// The 128 most significant bits of the powers of five from 5^-342 to 5^308.
///
/// What the Eisel-Lemire algorithm multiplies with (Lemire, "Number Parsing at a Gigabyte per Second", 2021, section 5).
/// Positive powers are truncated; for negative ones the reciprocal is rounded up. Made once at first use, with
/// schoolbook arithmetic on long numbers, in a fraction of a millisecond.
enum PowersOfFive {
    /// The least exponent in the table.
    static let smallest = -342
    /// The greatest exponent in the table.
    static let largest = 308

    /// High and low words by turns, from the least exponent on.
    static let words: [UInt64] = {
        var table = [UInt64](repeating: 0, count: 2 * (largest - smallest + 1))
        func place(_ exponent: Int, _ bits: UInt128) {
            table[2 * (exponent - smallest)] = UInt64(truncatingIfNeeded: bits >> 64)
            table[2 * (exponent - smallest) + 1] = UInt64(truncatingIfNeeded: bits)
        }

        var power = LongNumber(words: [1])
        for exponent in 0...largest {
            place(exponent, power.topBits())
            power.multiply(by: 5)
        }

        // floor(2^bits / 5^n) for rising n; dividing step by step rounds down to the same as dividing once.
        let bits = 1920
        var reciprocal = LongNumber(words: [UInt64](repeating: 0, count: bits / 64) + [1])
        for exponent in 1...(-smallest) {
            reciprocal.divide(by: 5)
            let truncated = reciprocal.topBits()
            // Up to 5^-27 the published table rounds the last bit up; beyond it, truncation drops that bit again.
            place(-exponent, exponent <= 27 ? truncated + 1 : truncated)
        }
        return table
    }()
}

/// A non-negative whole number of any length: 64-bit words, least significant first.
private struct LongNumber {
    var words: [UInt64]

    mutating func multiply(by factor: UInt64) {
        var carry: UInt64 = 0
        for index in words.indices {
            let product = words[index].multipliedFullWidth(by: factor)
            let (sum, overflow) = product.low.addingReportingOverflow(carry)
            words[index] = sum
            carry = product.high + (overflow ? 1 : 0)
        }
        if carry > 0 { words.append(carry) }
    }

    mutating func divide(by divisor: UInt64) {
        var remainder: UInt64 = 0
        for index in words.indices.reversed() {
            (words[index], remainder) = divisor.dividingFullWidth((remainder, words[index]))
        }
        while words.last == 0 { words.removeLast() }
    }

    /// The 128 most significant bits, as if endless zeros followed the last one.
    func topBits() -> UInt128 {
        func word(_ index: Int) -> UInt64 { index >= 0 ? words[index] : 0 }
        let top = words.count - 1
        let shift = words[top].leadingZeroBitCount
        let first = UInt128(word(top)) << 64 | UInt128(word(top - 1))
        return shift == 0 ? first : first << shift | UInt128(word(top - 2) >> (64 - UInt64(shift)))
    }
}
