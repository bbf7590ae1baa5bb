/// A number as it stands in the text, not yet converted.
struct RawNumber {
    let range: Range<Int>
    let isNegative: Bool
    /// The first 19 significant digits.
    let mantissa: UInt64
    /// The power of ten that `mantissa` is to be multiplied with.
    let exponent: Int
    /// Whether there were more significant digits than `mantissa` holds.
    let isTruncated: Bool
    /// `-Infinity`.
    let isInfinite: Bool
}

extension JSONReader {
    /// Passes a number, or `-Infinity`, checking its syntax.
    @inline(__always)
    mutating func number() throws(JSONSyntaxError) -> RawNumber {
        let start = offset
        var index = start
        let isNegative = byte(at: index) == UInt8(ascii: "-")
        if isNegative {
            index &+= 1
            if byte(at: index) == UInt8(ascii: "I") {
                move(to: index)
                try word("Infinity")
                return RawNumber(
                    range: start..<offset, isNegative: true, mantissa: 0, exponent: 0, isTruncated: false,
                    isInfinite: true)
            }
        }
        var mantissa: UInt64 = 0
        let whole = index
        if byte(at: index) == UInt8(ascii: "0") {
            index &+= 1
            if Self.isDigit(byte(at: index)) { throw unexpected(at: index) }
        } else {
            passDigits(&index, &mantissa)
            if index == whole { throw unexpected(at: index) }
        }
        var digits = index &- whole
        var exponent = 0
        if byte(at: index) == UInt8(ascii: ".") {
            index &+= 1
            let fraction = index
            passDigits(&index, &mantissa)
            if index == fraction { throw unexpected(at: index) }
            exponent = fraction &- index
            digits &+= index &- fraction
        }
        if byte(at: index) | 0x20 == UInt8(ascii: "e") {
            exponent &+= try readExponent(&index)
        }
        move(to: index)
        if digits > 19 && digits &- leadingZeros(whole..<index) > 19 {
            return longNumber(start..<index, isNegative: isNegative, exponent: exponent)
        }
        return RawNumber(
            range: start..<index, isNegative: isNegative, mantissa: mantissa, exponent: exponent, isTruncated: false,
            isInfinite: false)
    }

    /// Passes digits and appends them to a mantissa, which wraps around when there are too many.
    @inline(__always)
    private func passDigits(_ index: inout Int, _ mantissa: inout UInt64) {
        while let word = word(at: index) {
            let values = word ^ Self.zeros
            guard Self.digitCount(values) == 8 else { break }
            mantissa = mantissa &* 100_000_000 &+ Self.value(ofDigits: values)
            index &+= 8
        }
        while case let byte = byte(at: index), Self.isDigit(byte) {
            mantissa = mantissa &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
            index &+= 1
        }
    }

    private func readExponent(_ index: inout Int) throws(JSONSyntaxError) -> Int {
        index += 1
        let sign = byte(at: index)
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { index += 1 }
        let start = index
        var value = 0
        while case let byte = byte(at: index), Self.isDigit(byte) {
            // Beyond this any number that fits a request is 0 or infinite.
            if value < 10_000_000_000 { value = value * 10 + Int(byte - UInt8(ascii: "0")) }
            index += 1
        }
        if index == start { throw unexpected(at: index) }
        return sign == UInt8(ascii: "-") ? -value : value
    }

    /// How many zeros a number begins with: they are no significant digits, and `mantissa` did not grow by them.
    private func leadingZeros(_ range: Range<Int>) -> Int {
        var index = range.lowerBound
        var zeros = 0
        while index < range.upperBound {
            let byte = byte(at: index)
            if byte == UInt8(ascii: "0") {
                zeros &+= 1
            } else if byte != UInt8(ascii: ".") {
                break
            }
            index &+= 1
        }
        return zeros
    }

    /// Counts the digits of a long number again: leading zeros don't count, those after the 19th are cut off.
    private func longNumber(_ range: Range<Int>, isNegative: Bool, exponent: Int) -> RawNumber {
        var mantissa: UInt64 = 0
        var significant = 0
        var cutOff = 0
        var isTruncated = false
        for byte in range.lazy.map(byte(at:)) {
            if byte | 0x20 == UInt8(ascii: "e") { break }
            guard Self.isDigit(byte) else { continue }
            if significant == 0 && byte == UInt8(ascii: "0") { continue }
            if significant < 19 {
                mantissa = mantissa * 10 + UInt64(byte - UInt8(ascii: "0"))
                significant += 1
            } else {
                cutOff += 1
                if byte != UInt8(ascii: "0") { isTruncated = true }
            }
        }
        return RawNumber(
            range: range, isNegative: isNegative, mantissa: mantissa, exponent: exponent + cutOff,
            isTruncated: isTruncated, isInfinite: false)
    }

    /// The double nearest to a number; infinite when it is beyond the greatest.
    @inline(__always)
    func double(_ number: RawNumber) -> Double {
        if !number.isTruncated, !number.isInfinite,
            let value = DecimalConversion.double(mantissa: number.mantissa, exponent: number.exponent, powers: powers)
        {
            return number.isNegative ? -value : value
        }
        return exactDouble(number)
    }

    /// The same with arbitrary precision, for more than 19 digits and for the rare case that 128 bits don't decide.
    private func exactDouble(_ number: RawNumber) -> Double {
        if number.isInfinite { return -.infinity }
        // The number's bytes were read before; they are copied.
        return unsafe Double(String(decoding: bytes(number.range), as: UTF8.self)) ?? .infinity
    }

    /// What a number is as a 64-bit whole number.
    func integer(_ number: RawNumber) -> WholeNumber {
        if number.isInfinite { return .notFinite }
        if number.mantissa == 0 { return .value(0) }
        var mantissa = number.mantissa
        var exponent = number.exponent
        if number.isTruncated {
            // More than 19 significant digits: too large, unless some of them come after the point.
            return placeOfLastDigit(number) < 0 ? .fraction : tooLarge(number)
        }
        while exponent < 0 {
            let (quotient, remainder) = mantissa.quotientAndRemainder(dividingBy: 10)
            if remainder != 0 { return .fraction }
            mantissa = quotient
            exponent += 1
        }
        while exponent > 0 {
            let (product, overflow) = mantissa.multipliedReportingOverflow(by: 10)
            if overflow { return tooLarge(number) }
            mantissa = product
            exponent -= 1
        }
        if number.isNegative {
            return mantissa <= 1 << 63 ? .value(Int64(truncatingIfNeeded: 0 &- mantissa)) : .tooLarge
        }
        return Int64(exactly: mantissa).map { .value($0) } ?? .tooLarge
    }

    /// The power of ten that the last digit other than zero of a truncated number stands for.
    private func placeOfLastDigit(_ number: RawNumber) -> Int {
        var significant = 0
        var last = 0
        for byte in number.range.lazy.map(byte(at:)) {
            if byte | 0x20 == UInt8(ascii: "e") { break }
            guard Self.isDigit(byte), significant > 0 || byte != UInt8(ascii: "0") else { continue }
            significant += 1
            if byte != UInt8(ascii: "0") { last = significant }
        }
        return number.exponent - (last - 19)
    }

    private func tooLarge(_ number: RawNumber) -> WholeNumber {
        double(number).isInfinite ? .notFinite : .tooLarge
    }
}

/// What a JSON number is as a 64-bit whole number.
enum WholeNumber: Equatable {
    case value(Int64)
    /// It has a fraction.
    case fraction
    /// It is whole and does not fit 64 bits.
    case tooLarge
    /// It is beyond the greatest double.
    case notFinite
}
