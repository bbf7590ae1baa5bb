/// Numbers that are written as nearly all are: the quick ways to read them, eight digits at a time.
extension JSONReader {
    /// Passes a number that is written as nearly all are: up to seven digits, a point, and up to 22 digits, of all of which
    /// 19 count, without an exponent or with one of a sign and two digits, as Python writes it.
    ///
    /// - Returns: the double nearest to it; `nil`, with the reader where it was, when something else stands there.
    @inline(__always)
    mutating func plainDouble() -> Double? {
        // A sign, seven digits, a point, three words, an exponent, the byte behind it: all that is looked at is there.
        guard offset &+ 40 <= count else { return nil }
        let isNegative = byte(within: offset) == UInt8(ascii: "-")
        let whole = offset &+ (isNegative ? 1 : 0)
        var mantissa = UInt64(byte(within: whole) &- UInt8(ascii: "0"))
        guard mantissa < 10 else { return nil }
        var point = whole &+ 1
        if mantissa > 0 {
            while point < whole &+ 7, case let byte = byte(within: point), Self.isDigit(byte) {
                mantissa = mantissa &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
                point &+= 1
            }
        }
        guard byte(within: point) == UInt8(ascii: ".") else { return nil }

        let fraction = point &+ 1
        var index = fraction
        var values = word(within: index) ^ Self.zeros
        // Zeros at the beginning don't count.
        let mostDigits = 19 &- (mantissa > 0 ? point &- whole : 0 &- values.trailingZeroBitCount / 8)
        var digits = Self.digitCount(values)
        while digits == 8 {
            guard index < fraction &+ 16 else { return nil }
            mantissa = mantissa &* 100_000_000 &+ Self.value(ofDigits: values)
            index &+= 8
            values = word(within: index) ^ Self.zeros
            digits = Self.digitCount(values)
        }
        mantissa = mantissa &* Self.powersOfTen[digits] &+ Self.value(ofLeading: digits, values)
        index &+= digits
        guard index > fraction, index &- fraction <= mostDigits else { return nil }
        var exponent = fraction &- index
        if byte(within: index) | 0x20 == UInt8(ascii: "e") {
            guard let power = plainExponent(at: index &+ 1) else { return nil }
            exponent &+= power
            index &+= 4
        }
        guard let value = DecimalConversion.double(mantissa: mantissa, exponent: exponent, powers: powers) else {
            return nil
        }
        move(to: index)
        return isNegative ? -value : value
    }

    /// A sign and two digits, and no digit behind them.
    @inline(__always)
    private func plainExponent(at index: Int) -> Int? {
        let sign = byte(within: index)
        let tens = byte(within: index &+ 1) &- UInt8(ascii: "0")
        let ones = byte(within: index &+ 2) &- UInt8(ascii: "0")
        guard sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+"), tens < 10, ones < 10,
            !Self.isDigit(byte(within: index &+ 3))
        else { return nil }
        let power = Int(tens) &* 10 &+ Int(ones)
        return sign == UInt8(ascii: "-") ? 0 &- power : power
    }

    /// Passes a whole number of 1 to 18 digits that is written as such, without sign, point or exponent: nearly all are.
    ///
    /// - Returns: the number; `nil`, with the reader where it was, when something else stands there.
    @inline(__always)
    mutating func plainInteger() -> Int64? {
        var index = offset
        var value: UInt64 = 0
        if let word = word(at: index), case let values = word ^ Self.zeros, case let digits = Self.digitCount(values),
            digits < 8
        {
            value = Self.value(ofLeading: digits, values)
            index &+= digits
        } else {
            while case let byte = byte(at: index), Self.isDigit(byte) {
                value = value &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
                index &+= 1
            }
        }
        let digits = index &- offset
        let next = byte(at: index)
        guard digits > 0, digits < 19, next != UInt8(ascii: "."), next | 0x20 != UInt8(ascii: "e"),
            digits == 1 || byte(at: offset) != UInt8(ascii: "0")
        else { return nil }
        move(to: index)
        return Int64(truncatingIfNeeded: value)
    }

    // MARK: Digits

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private static let powersOfTen: [UInt64] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000]

    /// Eight times the digit 0.
    static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// How many of eight bytes are digits before the first that is none. The bytes are below ten where a digit stood.
    @inline(__always)
    static func digitCount(_ values: UInt64) -> Int {
        // Marks the high bit of what is ten or more; the lowest mark is exact, above it a carry may mark others too.
        let others = ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080
        return others.trailingZeroBitCount / 8
    }

    /// The value of eight digits: pairs, then fours, then all, each by one multiplication.
    @inline(__always)
    static func value(ofDigits values: UInt64) -> UInt64 {
        let pairs = (values &* 10) &+ (values >> 8)
        let low = (pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        return (low &+ high) >> 32
    }

    /// The value of the first digits, at most seven. Without a branch, since their count can't be foreseen.
    @inline(__always)
    private static func value(ofLeading digits: Int, _ values: UInt64) -> UInt64 {
        // They move to the end, behind zeros; by two shifts, because without a digit all bits go.
        value(ofDigits: (values &<< 8) &<< UInt64(56 &- 8 &* digits))
    }
}
