/// The 128 most significant bits of the powers of five from 5^-342 to 5^324.
///
/// Used to parse decimals (Lemire, "Number Parsing at a Gigabyte per Second", 2021, section 5) and to print them
/// (Giulietti, "The Schubfach way to render doubles", 2020). Computed at first use with schoolbook long arithmetic, in
/// a fraction of a millisecond.
///
/// Memory: `words` holds two words per exponent. `init` allocates and initializes them; they are never freed.
/// `subscript` checks every exponent.
@safe struct PowersOfFive: Sendable {
    static let shared = PowersOfFive()

    /// The smallest exponent in the table.
    static let smallest = -342
    /// The largest exponent in the table.
    static let largest = 324
    /// The exponent of the largest power of ten that is a finite double.
    static let largestOfDouble = 308

    /// High and low words alternate, from the smallest exponent up. Positive powers are truncated. The reciprocals of
    /// 5^1 to 5^27 are rounded up, as in the published table; the others are truncated.
    ///
    /// `nonisolated(unsafe)` is sound: the memory is written before the pointer is published, and is neither changed
    /// nor freed afterwards. A pointer, because an array would be retained for every number.
    nonisolated(unsafe) private let words: UnsafePointer<UInt64>

    /// Powers of five with at most 128 bits are exact in the table.
    private static let exact = 0...55
    /// Powers whose reciprocals are rounded up in the table.
    private static let roundedUp = -27 ... -1

    /// The high and the low word of a power.
    @inline(__always)
    subscript(exponent: Int) -> (high: UInt64, low: UInt64) {
        precondition(exponent >= Self.smallest && exponent <= Self.largest)
        let index = 2 * (exponent - Self.smallest)
        // The precondition keeps the index inside the table.
        return unsafe (words[index], words[index + 1])
    }

    /// The power, rounded up if it is not exact.
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
        // Called once for each exponent from the smallest to the largest, so every word is initialized.
        func place(_ exponent: Int, _ bits: UInt128) {
            unsafe table[2 * (exponent - Self.smallest)] = UInt64(truncatingIfNeeded: bits >> 64)
            unsafe table[2 * (exponent - Self.smallest) + 1] = UInt64(truncatingIfNeeded: bits)
        }

        var power = LongNumber(words: [1])
        for exponent in 0...Self.largest {
            place(exponent, power.topBits())
            power.multiply(by: 5)
        }

        // floor(2^bits / 5^n) for increasing n. Repeated floor division equals one floor division by the product.
        let bits = 1920
        var reciprocal = LongNumber(words: [UInt64](repeating: 0, count: bits / 64) + [1])
        for exponent in 1...(-Self.smallest) {
            reciprocal.divide(by: 5)
            let truncated = reciprocal.topBits()
            // The published table rounds the last bit up as far as 5^-27 and truncates smaller powers.
            place(-exponent, Self.roundedUp.contains(-exponent) ? truncated + 1 : truncated)
        }
        unsafe words = unsafe UnsafePointer(table)
    }
}

/// A non-negative integer of any size: 64-bit words, least significant first.
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

    /// The 128 most significant bits; a shorter number is padded with zeros below its last bit.
    func topBits() -> UInt128 {
        func word(_ index: Int) -> UInt64 { index >= 0 ? words[index] : 0 }
        let top = words.count - 1
        let shift = words[top].leadingZeroBitCount
        let first = UInt128(word(top)) << 64 | UInt128(word(top - 1))
        return shift == 0 ? first : first << shift | UInt128(word(top - 2) >> (64 - UInt64(shift)))
    }
}
