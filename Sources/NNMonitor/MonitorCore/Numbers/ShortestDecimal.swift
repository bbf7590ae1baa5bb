/// The shortest decimal that parses to a given double, and the nearest to it among those.
///
/// Uses the Schubfach algorithm (Giulietti, "The Schubfach way to render doubles", 2020): it scales the double's
/// rounding interval by a power of ten so that it contains one or two integers, and chooses between them by exact
/// comparison.
///
/// Printing a number of a step takes about 360 instructions with it and 1340 with the library's `description`:
/// `valgrind --tool=callgrind .build/release/CoreBench numbers|describe PAYLOAD times COUNT`, by the difference of two
/// counts (docs/PERFORMANCE.md).
struct ShortestDecimal: Equatable {
    /// At most 17 decimal digits as an integer, without trailing zeros.
    var digits: UInt64
    /// The power of ten that scales `digits`.
    var exponent: Int

    /// Finds the shortest decimal of a double.
    ///
    /// - Parameters:
    ///   - value: finite and above 0.
    ///   - powers: the table of powers of five.
    @inline(__always)
    init(_ value: Double, powers: PowersOfFive) {
        let fraction = value.bitPattern & (1 << 52 - 1)
        let biased = Int(truncatingIfNeeded: value.bitPattern >> 52) & 0x7FF
        let significand = biased == 0 ? fraction : fraction | 1 << 52
        let power = biased == 0 ? -1074 : biased &- 1075
        // Whole numbers below 2^53 are their own shortest decimal.
        if power <= 0 && power > -53 && significand & (1 &<< UInt64(-power) &- 1) == 0 {
            self.init(digits: significand &>> UInt64(-power), exponent: 0)
            return
        }
        self.init(significand: significand, power: power, isLowerCloser: fraction == 0 && biased > 1, powers)
    }

    private init(digits: UInt64, exponent: Int) {
        self.digits = digits
        self.exponent = exponent
        dropZeros()
    }

    /// Finds the shortest decimal of significand x 2^power. If the significand is the smallest of its binade, the next
    /// lower double is half as far away as the next higher one.
    @inline(__always)
    private init(significand: UInt64, power: Int, isLowerCloser: Bool, _ powers: PowersOfFive) {
        // floor(log10(2^power)), or floor(log10(3/4 x 2^power)) if the lower neighbour is closer. The fixed-point
        // approximation is exact for these powers.
        let k = (power &* 1_262_611 &- (isLowerCloser ? 524_031 : 0)) >> 22
        // power + floor(log2(10^-k)) + 1, with the same kind of approximation.
        let shift = UInt64(truncatingIfNeeded: power &+ ((-k &* 1_741_647) >> 19) &+ 1)
        let scale = powers.roundedUp(-k)
        let center = significand << 2
        let value = Self.scaled(center &<< shift, scale)
        let low = Self.scaled((center &- (isLowerCloser ? 1 : 2)) &<< shift, scale)
        let high = Self.scaled((center &+ 2) &<< shift, scale)
        // The interval includes its bounds if the significand is even, because parsing rounds to even.
        let odd = significand & 1
        let lowest = low &+ odd
        let highest = high &- odd

        let floor = value >> 2
        if floor >= 10 {
            let tens = floor / 10
            let isTensInside = lowest <= 40 &* tens
            let isNextInside = 40 &* tens &+ 40 <= highest
            if isTensInside != isNextInside {
                self.init(digits: tens &+ (isNextInside ? 1 : 0), exponent: k &+ 1)
                return
            }
        }
        let isFloorInside = lowest <= floor << 2
        let isNextInside = floor << 2 &+ 4 <= highest
        if isFloorInside != isNextInside {
            self.init(digits: floor &+ (isNextInside ? 1 : 0), exponent: k)
            return
        }
        let middle = floor << 2 &+ 2
        let isUp = value > middle || value == middle && floor & 1 == 1
        self.init(digits: floor &+ (isUp ? 1 : 0), exponent: k)
    }

    /// The high part of the product. Its last bit is also set if any lower bit is set, which suffices for exact
    /// comparison.
    @inline(__always)
    private static func scaled(_ factor: UInt64, _ scale: (high: UInt64, low: UInt64)) -> UInt64 {
        let high = scale.high.multipliedFullWidth(by: factor)
        let (middle, carry) = high.low.addingReportingOverflow(scale.low.multipliedFullWidth(by: factor).high)
        return high.high &+ (carry ? 1 : 0) | (middle > 1 ? 1 : 0)
    }

    private mutating func dropZeros() {
        while digits != 0, case let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: 10), remainder == 0
        {
            digits = quotient
            exponent &+= 1
        }
    }
}
