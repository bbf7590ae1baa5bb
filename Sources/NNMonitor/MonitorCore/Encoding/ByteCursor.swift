/// Writes bytes into memory that is reserved for them, as `JSONWriter.reserving` lends it.
///
/// Memory: this struct is the fence around the pointer. What writes looks first whether there is room, and ends the program
/// when there is not, because who reserved has miscounted. The memory is lent for longer than the cursor lives.
@safe struct ByteCursor: ~Copyable {
    private var position: UnsafeMutablePointer<UInt8>
    private let end: UnsafeMutablePointer<UInt8>
    private let powers: PowersOfFive

    /// Room that writing a double takes: its longest form has 24 bytes, and digits may first stand one place further.
    static let doubleRoom = 40

    /// - Parameters:
    ///   - start: the first byte to write.
    ///   - room: how many may be written.
    ///   - powers: the table for writing doubles.
    init(_ start: UnsafeMutablePointer<UInt8>, room: Int, powers: PowersOfFive) {
        unsafe position = unsafe start
        unsafe end = unsafe start + room
        self.powers = powers
    }

    /// How many bytes were written after `start`.
    func count(since start: UnsafeMutablePointer<UInt8>) -> Int { unsafe position - start }

    @inline(__always)
    private func require(_ count: Int) {
        precondition(unsafe end - position >= count, "more is written than was reserved")
    }

    /// Writes text as it is.
    @inline(__always)
    mutating func literal(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        require(count)
        // There is room for all of the literal, which is there as long as the program.
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

    /// Writes bytes as they are.
    @inline(__always)
    mutating func raw(_ bytes: Span<UInt8>) {
        require(bytes.count)
        // There is room for all of them; they are lent for the call.
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(position).copyMemory(from: start, byteCount: source.count)
        }
        unsafe position += bytes.count
    }

    /// Writes a double as Swift describes it: the shortest decimal that reads back as the same double.
    ///
    /// `NaN` and the infinities have no JSON number; they are written as the strings that protobuf's JSON uses.
    @inline(__always)
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
        // Where the point stands, counted from before the first digit.
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
            // All digits one place too far to the right; then those before the point go to the left.
            unsafe position += 1
            digitsAhead(decimal.digits, digits)
            let first = unsafe position - (digits &+ 1)
            for index in 0..<point { unsafe first[index] = first[index + 1] }
            unsafe first[point] = UInt8(ascii: ".")
        }
    }

    /// Writes a number, or `null` where it was not posted.
    @inline(__always)
    mutating func optionalDouble(_ value: Double) {
        if Absent.marks(value) { literal("null") } else { double(value) }
    }

    /// `d.ddde-05`: the exponent has a sign and at least two digits.
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

    /// Writes a whole number of so many digits. There must be room.
    @inline(__always)
    private mutating func digitsAhead(_ number: UInt64, _ count: Int) {
        unsafe position += count
        var target = unsafe position
        var rest = number
        while rest >= 100 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            unsafe target -= 2
            unsafe UnsafeMutableRawPointer(target).storeBytes(of: Self.pair(pair), as: UInt16.self)
            rest = quotient
        }
        if rest >= 10 {
            unsafe target -= 2
            unsafe UnsafeMutableRawPointer(target).storeBytes(of: Self.pair(rest), as: UInt16.self)
        } else {
            unsafe target -= 1
            unsafe target.pointee = UInt8(truncatingIfNeeded: rest) &+ UInt8(ascii: "0")
        }
    }

    /// Two digits as the bytes of their text, the first one lowest.
    @inline(__always)
    private static func pair(_ number: UInt64) -> UInt16 {
        // 103/1024 is near enough to 1/10 for numbers below 100.
        let tens = UInt16(truncatingIfNeeded: (number &* 103) >> 10)
        let ones = UInt16(truncatingIfNeeded: number) &- tens &* 10
        return (0x3030 | tens | ones << 8).littleEndian
    }

    /// How many digits a number has; 1 for 0.
    @inline(__always)
    static func digitCount(_ number: UInt64) -> Int {
        // 1233/4096 is near enough to log10(2); what it is short of is one at most.
        let guess = ((64 &- (number | 1).leadingZeroBitCount) &* 1233) >> 12
        return guess &+ (number >= powersOfTen[guess] ? 1 : 0)
    }

    /// 10^n at place n; 0 at place 0, so that 0 has a digit.
    private static let powersOfTen: InlineArray<20, UInt64> = [
        0, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
        100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
        10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
    ]
}
