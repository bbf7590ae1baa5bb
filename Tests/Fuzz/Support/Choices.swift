/// Takes decisions from an input's last bytes, one byte per decision.
///
/// Like libFuzzer's `FuzzedDataProvider`, it consumes bytes from the end, so that adding or changing a decision does
/// not move the payload.
struct Choices {
    private var rest: ArraySlice<UInt8>

    init(_ input: [UInt8]) { rest = input[...] }

    /// The remaining bytes, to feed to the code under test.
    var payload: ArraySlice<UInt8> { rest }

    /// A number in a range; the lower bound if the input is used up.
    mutating func number(in range: ClosedRange<Int>) -> Int {
        guard let byte = rest.popLast() else { return range.lowerBound }
        return range.lowerBound + Int(byte) % (range.upperBound - range.lowerBound + 1)
    }

    /// A boolean; false if the input is used up.
    mutating func yes() -> Bool { number(in: 0...1) == 1 }
}

/// A deterministic pseudorandom sequence of piece lengths.
struct Cuts {
    private var state: UInt32

    init(seed: Int) { state = UInt32(truncatingIfNeeded: seed) &* 2_654_435_761 | 1 }

    /// The length of the next piece: 1 to 64, with short pieces more frequent.
    mutating func next() -> Int {
        // Xorshift (Marsaglia 2003).
        state ^= state << 13
        state ^= state >> 17
        state ^= state << 5
        return 1 + Int(state >> 8) % (1 << Int(state >> 4 & 7)) % 64
    }
}
