/// Decisions that an input makes: its last bytes, one for each decision.
///
/// They are taken from the end, as libFuzzer's own `FuzzedDataProvider` does, so that what is fed stays where it is
/// when a decision is added or changed.
struct Choices {
    private var rest: ArraySlice<UInt8>

    init(_ input: [UInt8]) { rest = input[...] }

    /// What is left for feeding.
    var payload: ArraySlice<UInt8> { rest }

    /// A whole number in a range; the lowest when the input is used up.
    mutating func number(in range: ClosedRange<Int>) -> Int {
        guard let byte = rest.popLast() else { return range.lowerBound }
        return range.lowerBound + Int(byte) % (range.upperBound - range.lowerBound + 1)
    }

    /// Yes or no.
    mutating func yes() -> Bool { number(in: 0...1) == 1 }
}

/// Small numbers that follow from a seed: where to cut bytes into pieces. The same seed gives the same numbers.
struct Cuts {
    private var state: UInt32

    init(seed: Int) { state = UInt32(truncatingIfNeeded: seed) &* 2_654_435_761 | 1 }

    /// The length of the next piece, 1 to 64, short ones more often.
    mutating func next() -> Int {
        // Xorshift (Marsaglia 2003).
        state ^= state << 13
        state ^= state >> 17
        state ^= state << 5
        return 1 + Int(state >> 8) % (1 << Int(state >> 4 & 7)) % 64
    }
}
