/// Writes bytes into memory reserved by `JSONWriter.reserving`.
///
/// Memory: only this struct uses the pointer. Every write checks the remaining capacity and traps if it is too small,
/// which means that the caller reserved too little. `JSONWriter.reserving` keeps the memory valid for the cursor's
/// lifetime.
@safe struct ByteCursor: ~Copyable {
    private var position: UnsafeMutablePointer<UInt8>
    private let end: UnsafeMutablePointer<UInt8>
    private let powers: PowersOfFive

    /// Capacity that `double(_:)` needs: the longest double has 24 bytes, and digits may be written one byte too far
    /// right before they are moved.
    static let doubleRoom = 40

    /// Creates a cursor over uninitialized memory.
    ///
    /// - Parameters:
    ///   - start: the address of the first byte.
    ///   - room: the capacity in bytes.
    ///   - powers: the table for formatting doubles.
    init(_ start: UnsafeMutablePointer<UInt8>, room: Int, powers: PowersOfFive) {
        unsafe position = unsafe start
        unsafe end = unsafe start + room
        self.powers = powers
    }

    /// The number of bytes written since `start`.
    func count(since start: UnsafeMutablePointer<UInt8>) -> Int { unsafe position - start }

    @inline(__always)
    private func require(_ count: Int) {
        precondition(unsafe end - position >= count, "more is written than was reserved")
    }

    /// Writes a literal without escaping it.
    @inline(__always)
    mutating func literal(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        require(count)
        // `require` checked the capacity. The bytes of a `StaticString` live as long as the program.
        unsafe UnsafeMutableRawPointer(position).copyMemory(from: text.utf8Start, byteCount: count)
        unsafe position += count
    }

    /// Writes one byte.
    @inline(__always)
    mutating func byte(_ byte: UInt8) {
        require(1)
        unsafe position.pointee = byte
        unsafe position += 1
    }

    /// Writes constant text.
    @inline(__always)
    mutating func fragment(_ fragment: TextFragment) {
        require(TextFragment.maximum)
        // `require` checked the capacity for the padding too; the next write replaces it. `count` is at most `maximum`.
        unsafe UnsafeMutableRawPointer(position).storeBytes(of: fragment.bytes, as: SIMD64<UInt8>.self)
        unsafe position += fragment.count
    }

    /// Copies bytes without escaping them.
    @inline(__always)
    mutating func raw(_ bytes: Span<UInt8>) {
        require(bytes.count)
        // `require` checked the capacity. The source pointer is used only inside the closure.
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(position).copyMemory(from: start, byteCount: source.count)
        }
        unsafe position += bytes.count
    }

    /// Writes a double in the format of Swift's `description`: the shortest decimal that parses to the same double.
    ///
    /// JSON has no numbers for NaN and the infinities. They are written as strings, as in protobuf's JSON mapping. Not
    /// inlined: in the encoder's loop, the registers that it needs cost more than the call.
    @inline(never)
    mutating func double(_ value: Double) {
        require(Self.doubleRoom)
        guard value.isFinite else {
            if value.isNaN { return literal("\"NaN\"") }
            return value < 0 ? literal("\"-Infinity\"") : literal("\"Infinity\"")
        }
        if value.sign == .minus { byte(UInt8(ascii: "-")) }
        if value == 0 { return literal("0.0") }
        let decimal = ShortestDecimal(value.magnitude, powers: powers)
        let digits = Self.digitCount(decimal.digits)
        // The position of the decimal point relative to the first digit.
        let point = digits &+ decimal.exponent
        if value.magnitude > 0x1p53 || point < -3 {
            scientific(decimal, digits, exponent: point &- 1)
        } else if point <= 0 {
            literal("0.000")
            unsafe position -= 3 &+ point
            digitsAhead(decimal.digits, digits)
        } else if decimal.exponent >= 0 {
            digitsAhead(decimal.digits, digits)
            for _ in 0..<decimal.exponent { byte(UInt8(ascii: "0")) }
            literal(".0")
        } else {
            // Write all digits one byte too far right, then move the integer digits left to make room for the point.
            unsafe position += 1
            digitsAhead(decimal.digits, digits)
            let first = unsafe position - (digits &+ 1)
            for index in 0..<point { unsafe first[index] = first[index + 1] }
            unsafe first[point] = UInt8(ascii: ".")
        }
    }

    /// Writes constant text and a number, or `null` if the number was not posted.
    @inline(__always)
    mutating func number(_ value: Double, after text: TextFragment) {
        fragment(text)
        if MissingValue.isMissing(value) { literal("null") } else { double(value) }
    }

    /// Writes `d.ddde-05`. The exponent has a sign and at least two digits.
    private mutating func scientific(_ decimal: ShortestDecimal, _ digits: Int, exponent: Int) {
        unsafe position += 1
        digitsAhead(decimal.digits, digits)
        let first = unsafe position - (digits &+ 1)
        unsafe first[0] = first[1]
        if digits == 1 {
            unsafe position -= 1
        } else {
            unsafe first[1] = UInt8(ascii: ".")
        }
        literal(exponent < 0 ? "e-" : "e+")
        let magnitude = UInt64(exponent.magnitude)
        if magnitude < 10 { byte(UInt8(ascii: "0")) }
        digitsAhead(magnitude, Self.digitCount(magnitude))
    }

    /// Writes a whole number with exactly `count` digits. The caller has checked the capacity for `count` bytes, and for
    /// eight if `count` is less.
    @inline(__always)
    private mutating func digitsAhead(_ number: UInt64, _ count: Int) {
        let start = unsafe UnsafeMutableRawPointer(position)
        unsafe position += count
        if number < 100_000_000 {
            return unsafe start.storeBytes(of: Self.digits(number, last: count), as: UInt64.self)
        }
        // The last eight digits are written after the ones before them, whose word may extend past them.
        let end = unsafe UnsafeMutableRawPointer(position)
        let (rest, low) = number.quotientAndRemainder(dividingBy: 100_000_000)
        if rest < 100_000_000 {
            unsafe start.storeBytes(of: Self.digits(rest, last: count &- 8), as: UInt64.self)
        } else {
            let (first, middle) = rest.quotientAndRemainder(dividingBy: 100_000_000)
            unsafe start.storeBytes(of: Self.digits(first, last: count &- 16), as: UInt64.self)
            unsafe (end - 16).storeBytes(of: Self.digits(middle, last: 8), as: UInt64.self)
        }
        unsafe (end - 8).storeBytes(of: Self.digits(low, last: 8), as: UInt64.self)
    }

    /// The last digits of a number below 10^8 in ASCII, the first of them in the low byte.
    ///
    /// The lanes of one word hold two numbers of four digits, then four of two, then eight of one. Each division by a
    /// constant is a multiplication and a shift that are exact for the lane's range: 10486/2^20 for 1/100 of numbers
    /// below 10^4, 103/2^10 for 1/10 of numbers below 100.
    @inline(__always)
    private static func digits(_ number: UInt64, last count: Int) -> UInt64 {
        let (high, low) = UInt32(truncatingIfNeeded: number).quotientAndRemainder(dividingBy: 10_000)
        let fours = UInt64(high) | UInt64(low) << 32
        let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
        let pairs = hundreds | (fours &- hundreds &* 100) << 16
        let tens = (pairs &* 103) >> 10 & 0x000F_000F_000F_000F
        let ones = tens | (pairs &- tens &* 10) << 8
        return ((ones | 0x3030_3030_3030_3030) &>> UInt64(truncatingIfNeeded: 64 &- count &* 8)).littleEndian
    }

    /// The number of decimal digits; 1 for 0.
    @inline(__always)
    static func digitCount(_ number: UInt64) -> Int {
        // 1233/4096 approximates log10(2). The guess is at most one digit too low.
        let guess = ((64 &- (number | 1).leadingZeroBitCount) &* 1233) >> 12
        return guess &+ (number >= powersOfTen[guess] ? 1 : 0)
    }

    /// 10^n at index n. Index 0 holds 0, so that 0 has one digit.
    private static let powersOfTen: InlineArray<20, UInt64> = [
        0, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
        100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
        10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ]
}
