/// A number that was scanned but not yet converted.
struct RawNumber {
    let range: Range<Int>
    let isNegative: Bool
    /// The first 19 significant digits.
    let mantissa: UInt64
    /// The power of ten that scales `mantissa`.
    let exponent: Int
    /// Whether nonzero digits follow those in `mantissa`.
    let isTruncated: Bool
    /// Whether the number is the token `-Infinity`.
    let isInfinite: Bool
}

extension JSONReader {
    /// Consumes a number or `-Infinity` and checks its syntax.
    @inline(__always)
    mutating func number() throws(JSONSyntaxError) -> RawNumber {
        let start = offset
        var index = start
        let isNegative = text[index] == UInt8(ascii: "-")
        if isNegative {
            index &+= 1
            if text[index] == UInt8(ascii: "I") {
                move(to: index)
                try consumeWord("Infinity")
                return RawNumber(
                    range: start..<offset, isNegative: true, mantissa: 0, exponent: 0, isTruncated: false,
                    isInfinite: true)
            }
        }
        var mantissa: UInt64 = 0
        let whole = index
        if text[index] == UInt8(ascii: "0") {
            index &+= 1
            if Self.isDigit(text[index]) { throw unexpected(at: index) }
        } else {
            consumeDigits(&index, &mantissa)
            if index == whole { throw unexpected(at: index) }
        }
        var digits = index &- whole
        var exponent = 0
        if text[index] == UInt8(ascii: ".") {
            index &+= 1
            let fraction = index
            consumeDigits(&index, &mantissa)
            if index == fraction { throw unexpected(at: index) }
            exponent = fraction &- index
            digits &+= index &- fraction
        }
        if text[index] | 0x20 == UInt8(ascii: "e") {
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

    /// Consumes digits and appends them to a mantissa, which wraps around on overflow.
    @inline(__always)
    private func consumeDigits(_ index: inout Int, _ mantissa: inout UInt64) {
        while let word = text.word(at: index) {
            let values = word ^ Self.zeros
            guard Self.digitCount(values) == 8 else { break }
            mantissa = mantissa &* 100_000_000 &+ Self.value(ofDigits: values)
            index &+= 8
        }
        while case let byte = text[index], Self.isDigit(byte) {
            mantissa = mantissa &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
            index &+= 1
        }
    }

    private func readExponent(_ index: inout Int) throws(JSONSyntaxError) -> Int {
        index += 1
        let sign = text[index]
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { index += 1 }
        let start = index
        var value = 0
        while case let byte = text[index], Self.isDigit(byte) {
            // Larger exponents cannot change the result: a number that fits in a request is then 0 or infinite.
            if value < 10_000_000_000 { value = value * 10 + Int(byte - UInt8(ascii: "0")) }
            index += 1
        }
        if index == start { throw unexpected(at: index) }
        return sign == UInt8(ascii: "-") ? -value : value
    }

    /// The number of leading zeros. They are not significant and do not increase `mantissa`.
    private func leadingZeros(_ range: Range<Int>) -> Int {
        var index = range.lowerBound
        var zeros = 0
        while index < range.upperBound {
            let byte = text[index]
            if byte == UInt8(ascii: "0") {
                zeros &+= 1
            } else if byte != UInt8(ascii: ".") {
                break
            }
            index &+= 1
        }
        return zeros
    }

    /// Scans a long number again: skips leading zeros and drops digits after the 19th significant one.
    private func longNumber(_ range: Range<Int>, isNegative: Bool, exponent: Int) -> RawNumber {
        var mantissa: UInt64 = 0
        var significant = 0
        var cutOff = 0
        var isTruncated = false
        for byte in range.lazy.map({ text[$0] }) {
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

    /// Consumes `"NaN"`, `"Infinity"` or `"-Infinity"`: strings, as protobuf's JSON spells numbers that are not finite.
    ///
    /// - Returns: the number; `nil` for anything else, and then the reader does not move.
    /// - Throws: a syntax error in a string.
    mutating func consumeSpelledNumber() throws(JSONSyntaxError) -> Double? {
        guard next == UInt8(ascii: "\"") else { return nil }
        let start = offset
        let word = try string()
        for (name, value) in Self.spelledNumbers where equals(word, name) { return value }
        move(to: start)
        return nil
    }

    /// Whether a string that this reader scanned has this value.
    func equals(_ string: RawString, _ value: StaticString) -> Bool {
        guard string.hasEscapes else {
            guard string.range.count == value.utf8CodeUnitCount else { return false }
            // The bytes of a `StaticString` live as long as the program; the index is below its length.
            return string.range.enumerated().allSatisfy { unsafe text[$0.element] == value.utf8Start[$0.offset] }
        }
        var bytes: [UInt8] = []
        return append(string, to: &bytes) && bytes.elementsEqual("\(value)".utf8)
    }

    private static let spelledNumbers: [(StaticString, Double)] = [
        ("NaN", .nan), ("Infinity", .infinity), ("-Infinity", -.infinity),
    ]

    /// The double nearest to a number; infinite if the number exceeds the largest finite double.
    @inline(__always)
    func double(_ number: RawNumber) -> Double {
        if !number.isTruncated, !number.isInfinite,
            let value = DecimalConversion.double(mantissa: number.mantissa, exponent: number.exponent, powers: powers)
        {
            return number.isNegative ? -value : value
        }
        return exactDouble(number)
    }

    /// Converts with arbitrary precision: for more than 19 significant digits, and for the rare cases that 128 bits do
    /// not decide.
    private func exactDouble(_ number: RawNumber) -> Double {
        if number.isInfinite { return -.infinity }
        var bytes: [UInt8] = []
        text.append(number.range, to: &bytes)
        return Double(String(decoding: bytes, as: UTF8.self)) ?? .infinity
    }

    /// Converts a number to a 64-bit integer.
    func integer(_ number: RawNumber) -> WholeNumber {
        if number.isInfinite { return .notFinite }
        if number.mantissa == 0 { return .value(0) }
        var mantissa = number.mantissa
        var exponent = number.exponent
        if number.isTruncated {
            // More than 19 significant digits: too large, unless the last nonzero digit is after the point.
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

    /// The power of ten of the last nonzero digit of a truncated number.
    private func placeOfLastDigit(_ number: RawNumber) -> Int {
        var significant = 0
        var last = 0
        for byte in number.range.lazy.map({ text[$0] }) {
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

/// The result of converting a JSON number to a 64-bit integer.
enum WholeNumber: Equatable {
    case value(Int64)
    /// The number has a fraction.
    case fraction
    /// The number is whole but does not fit into 64 bits.
    case tooLarge
    /// The number exceeds the largest finite double.
    case notFinite

    /// The error of a number where an integer with a lower bound is expected; `nil` if it is such an integer.
    func problem(_ bound: LowerBound) -> PayloadIssue.Kind? {
        switch self {
        case .value(let value):
            if bound == .none || value > 0 || (value == 0 && bound == .notNegative) { return nil }
            return bound == .aboveZero ? .notGreater(than: 0) : .notGreaterOrEqual(to: 0)
        case .fraction: return .integerHasFraction
        case .tooLarge: return .integerTooLarge
        case .notFinite: return .notFinite
        }
    }
}
