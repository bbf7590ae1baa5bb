/// The 128 most significant bits of the powers of five from 5^-342 to 5^324.
///
/// What the algorithms multiply with that read decimals (Lemire, "Number Parsing at a Gigabyte per Second", 2021, section 5)
/// and write them (Giulietti, "The Schubfach way to render doubles", 2020). Made once at first use, with schoolbook
/// arithmetic on long numbers, in a fraction of a millisecond.
///
/// Memory: `words` are two for each exponent, allocated and written in `init`, and never freed; every exponent is looked at.
@safe struct PowersOfFive: Sendable {
    static let shared = PowersOfFive()

    /// The least exponent in the table.
    static let smallest = -342
    /// The greatest exponent in the table.
    static let largest = 324
    /// The greatest power of ten that a double can be, by its exponent.
    static let largestOfDouble = 308

    /// High and low words by turns, from the least exponent on. Positive powers are truncated; for negative ones the
    /// reciprocal is rounded up as far as the published table does so.
    ///
    /// Written once, before anybody can see it, and never freed. So it may be read from any thread, which the compiler
    /// can't know of a pointer. A pointer and no array, because an array would be retained for every number.
    nonisolated(unsafe) private let words: UnsafePointer<UInt64>

    /// The powers of five that have at most 128 bits are exact in the table.
    private static let exact = 0...55
    /// The powers whose reciprocals are rounded up in the table.
    private static let roundedUp = -27 ... -1

    /// The high word, then the low one.
    @inline(__always)
    subscript(exponent: Int) -> (high: UInt64, low: UInt64) {
        precondition(exponent >= Self.smallest && exponent <= Self.largest)
        let index = 2 * (exponent - Self.smallest)
        // Within the table, as was just looked at.
        return unsafe (words[index], words[index + 1])
    }

    /// The same, rounded up where it is not exact.
    @inline(__always)
    func roundedUp(_ exponent: Int) -> (high: UInt64, low: UInt64) {
        var power = self[exponent]
        if !Self.exact.contains(exponent) && !Self.roundedUp.contains(exponent) {
            power.low &+= 1
            if power.low == 0 { power.high &+= 1 }
        }
        return power
    }

    private init() {
        let table = UnsafeMutablePointer<UInt64>.allocate(capacity: 2 * (Self.largest - Self.smallest + 1))
        // Every exponent from the smallest to the largest is placed once, below.
        func place(_ exponent: Int, _ bits: UInt128) {
            unsafe table[2 * (exponent - Self.smallest)] = UInt64(truncatingIfNeeded: bits >> 64)
            unsafe table[2 * (exponent - Self.smallest) + 1] = UInt64(truncatingIfNeeded: bits)
        }

        var power = LongNumber(words: [1])
        for exponent in 0...Self.largest {
            place(exponent, power.topBits())
            power.multiply(by: 5)
        }

        // floor(2^bits / 5^n) for rising n; dividing step by step rounds down to the same as dividing once.
        let bits = 1920
        var reciprocal = LongNumber(words: [UInt64](repeating: 0, count: bits / 64) + [1])
        for exponent in 1...(-Self.smallest) {
            reciprocal.divide(by: 5)
            let truncated = reciprocal.topBits()
            // Up to 5^-27 the published table rounds the last bit up; beyond it, truncation drops that bit again.
            place(-exponent, Self.roundedUp.contains(-exponent) ? truncated + 1 : truncated)
        }
        unsafe words = unsafe UnsafePointer(table)
    }
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
