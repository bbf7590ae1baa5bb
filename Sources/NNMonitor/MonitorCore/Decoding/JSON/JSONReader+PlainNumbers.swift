/// Fast paths for the most common number formats, eight digits at a time.
extension JSONReader {
    /// Consumes a number of the common format: one to seven digits, a point, one to 23 digits, and no exponent or one
    /// with a sign and two digits, as Python writes it. At most 19 digits are significant.
    ///
    /// - Returns: the nearest double; `nil` if the number has another format, and then the reader does not move.
    @inline(__always)
    mutating func plainDouble() -> Double? {
        // Sign, seven digits, point, three words, exponent and one more byte are at most 40 bytes.
        guard let window = text.window(at: offset) else { return nil }
        return longDouble(window) ?? shortDouble(window)
    }

    /// Consumes a number of one digit, a point, 16 to 23 digits and perhaps an exponent: a double with all its digits.
    @inline(__always)
    private mutating func longDouble(_ window: TextWindow) -> Double? {
        let whole = window.byte(0) == UInt8(ascii: "-") ? 1 : 0
        let first = UInt64(window.byte(whole) &- UInt8(ascii: "0"))
        let (high, low) = (window.word(whole &+ 2) ^ Self.zeros, window.word(whole &+ 10) ^ Self.zeros)
        guard first < 10, window.byte(whole &+ 1) == UInt8(ascii: "."), Self.nonDigits(high) | Self.nonDigits(low) == 0
        else { return nil }
        let rest = window.word(whole &+ 18) ^ Self.zeros
        let digits = Self.digitCount(rest)
        // At most 19 digits are significant: leading zeros are not.
        if digits > 2 {
            guard digits < 8, digits <= (first > 0 ? 2 : 3 &+ high.trailingZeroBitCount / 8) else { return nil }
        }
        var mantissa = (first &* 100_000_000 &+ Self.value(ofDigits: high)) &* 100_000_000 &+ Self.value(ofDigits: low)
        mantissa = mantissa &* Self.powersOfTen[digits] &+ Self.value(ofLeading: digits, rest)
        var end = whole &+ 18 &+ digits
        var exponent = -16 &- digits
        if window.byte(end) | 0x20 == UInt8(ascii: "e") {
            guard let power = Self.plainExponent(window.word(end &+ 1)) else { return nil }
            exponent &+= power
            end &+= 4
        }
        guard let value = DecimalConversion.normalDouble(mantissa: mantissa, exponent: exponent, powers: powers) else {
            return nil
        }
        move(to: offset &+ end)
        // Without a branch, because signs are unpredictable.
        return Double(bitPattern: value.bitPattern | UInt64(whole) << 63)
    }

    /// Consumes any number of the common format. Not inlined, because most numbers are long.
    @inline(never)
    private mutating func shortDouble(_ window: TextWindow) -> Double? {
        let isNegative = window.byte(0) == UInt8(ascii: "-")
        let whole = isNegative ? 1 : 0
        var mantissa = UInt64(window.byte(whole) &- UInt8(ascii: "0"))
        guard mantissa < 10 else { return nil }
        var point = whole &+ 1
        if mantissa > 0 {
            while point < whole &+ 7, case let byte = window.byte(point), Self.isDigit(byte) {
                mantissa = mantissa &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
                point &+= 1
            }
        }
        guard window.byte(point) == UInt8(ascii: ".") else { return nil }

        let fraction = point &+ 1
        var index = fraction
        var values = window.word(index) ^ Self.zeros
        // Leading zeros are not significant.
        let mostDigits = 19 &- (mantissa > 0 ? point &- whole : 0 &- values.trailingZeroBitCount / 8)
        var digits = Self.digitCount(values)
        while digits == 8 {
            guard index < fraction &+ 16 else { return nil }
            mantissa = mantissa &* 100_000_000 &+ Self.value(ofDigits: values)
            index &+= 8
            values = window.word(index) ^ Self.zeros
            digits = Self.digitCount(values)
        }
        mantissa = mantissa &* Self.powersOfTen[digits] &+ Self.value(ofLeading: digits, values)
        index &+= digits
        guard index > fraction, index &- fraction <= mostDigits else { return nil }
        var exponent = fraction &- index
        if window.byte(index) | 0x20 == UInt8(ascii: "e") {
            guard let power = Self.plainExponent(window.word(index &+ 1)) else { return nil }
            exponent &+= power
            index &+= 4
        }
        guard let value = DecimalConversion.double(mantissa: mantissa, exponent: exponent, powers: powers) else {
            return nil
        }
        move(to: offset &+ index)
        return isNegative ? -value : value
    }

    /// Consumes numbers of the common format and the commas between them, each followed by at most one space.
    ///
    /// The reader must be at an element of a list. It stops behind the last number that it consumed.
    ///
    /// - Parameters:
    ///   - numbers: receives the numbers.
    ///   - expected: how many there probably are, so that no more space than needed is reserved.
    /// - Returns: how many there were.
    mutating func appendPlainDoubles(to numbers: inout [Double], expected: Int) -> Int {
        // A copy stays in registers while the numbers are stored.
        var reader = self
        var count = 0
        var reserved = max(1, min(expected, Self.longestRun))
        var isComplete = false
        while !isComplete {
            numbers.append(addingCapacity: reserved) { run in
                repeat {
                    let end = reader.offset
                    guard count == 0 || reader.consumePlainComma(), let number = reader.plainDouble() else {
                        reader.move(to: end)
                        isComplete = true
                        return
                    }
                    run.append(number)
                    count &+= 1
                } while run.count < reserved
                isComplete = reader.next != UInt8(ascii: ",")
            }
            reserved = Self.longestRun
        }
        self = reader
        return count
    }

    /// The largest number of values for which `appendPlainDoubles` reserves space at once.
    private static var longestRun: Int { 64 }

    /// Consumes a comma and a space after it, if there is one.
    @inline(__always)
    private mutating func consumePlainComma() -> Bool {
        guard next == UInt8(ascii: ",") else { return false }
        move(to: offset &+ 1)
        if next == 0x20 { move(to: offset &+ 1) }
        return true
    }

    /// Reads an exponent of a sign and exactly two digits.
    ///
    /// - Parameter text: the bytes after the `e`, as a little-endian word.
    /// - Returns: the exponent; `nil` if it has another format.
    @inline(__always)
    private static func plainExponent(_ text: UInt64) -> Int? {
        let sign = UInt8(truncatingIfNeeded: text)
        let tens = UInt8(truncatingIfNeeded: text >> 8) &- UInt8(ascii: "0")
        let ones = UInt8(truncatingIfNeeded: text >> 16) &- UInt8(ascii: "0")
        guard sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+"), tens < 10, ones < 10,
            !isDigit(UInt8(truncatingIfNeeded: text >> 24))
        else { return nil }
        let power = Int(tens) &* 10 &+ Int(ones)
        return sign == UInt8(ascii: "-") ? 0 &- power : power
    }

    /// Consumes a whole number of 1 to 18 digits without sign, point or exponent.
    ///
    /// - Returns: the number; `nil` if it has another format, and then the reader does not move.
    @inline(__always)
    mutating func plainInteger() -> Int64? {
        var index = offset
        var value: UInt64 = 0
        if let word = text.word(at: index), case let values = word ^ Self.zeros,
            case let digits = Self.digitCount(values),
            digits < 8
        {
            value = Self.value(ofLeading: digits, values)
            index &+= digits
        } else {
            while case let byte = text[index], Self.isDigit(byte) {
                value = value &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
                index &+= 1
            }
        }
        let digits = index &- offset
        let next = text[index]
        guard digits > 0, digits < 19, next != UInt8(ascii: "."), next | 0x20 != UInt8(ascii: "e"),
            digits == 1 || text[offset] != UInt8(ascii: "0")
        else { return nil }
        move(to: index)
        return Int64(truncatingIfNeeded: value)
    }

    // MARK: Digits

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private static let powersOfTen: [UInt64] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000]

    /// Eight ASCII zeros.
    static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// The number of leading digits among eight bytes, from which `zeros` was subtracted by XOR: a digit is a value
    /// below ten.
    @inline(__always)
    static func digitCount(_ values: UInt64) -> Int {
        nonDigits(values).trailingZeroBitCount / 8
    }

    /// Sets the high bit of each byte that is ten or more. The lowest set bit is exact; a carry may set bits above it.
    @inline(__always)
    private static func nonDigits(_ values: UInt64) -> UInt64 {
        ((values &+ 0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080
    }

    /// The value of eight digits: combines pairs, then groups of four, then all eight, with one multiplication each.
    @inline(__always)
    static func value(ofDigits values: UInt64) -> UInt64 {
        let pairs = (values &* 10) &+ (values >> 8)
        let low = (pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        return (low &+ high) >> 32
    }

    /// The value of the first `digits` digits, at most seven. Branchless, because the count is unpredictable.
    @inline(__always)
    private static func value(ofLeading digits: Int, _ values: UInt64) -> UInt64 {
        // Shifts the digits to the end, after zeros. Two shifts, because for 0 digits the total of 64 bits exceeds one
        // masked shift.
        value(ofDigits: (values &<< 8) &<< UInt64(56 &- 8 &* digits))
    }
}
