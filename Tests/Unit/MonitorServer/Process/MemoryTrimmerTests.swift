import Testing

@testable import MonitorServer

@Suite struct FreedMemoryTests {
    private static let worthwhile = FreedMemory.Policy.worthwhile

    /// A policy that looks at so many free bytes, one after the other; whether each was worth giving back.
    private static func looks(_ policy: inout FreedMemory.Policy, at free: Int...) -> [Bool] {
        free.map { policy.isWorthwhile(free: $0) }
    }

    @Test func `Little that is free is left alone`() {
        var policy = FreedMemory.Policy()
        let looks = Self.looks(&policy, at: 0, Self.worthwhile - 1, Self.worthwhile)
        #expect(looks == [false, false, true])
    }

    @Test func `What could not be given back is not tried again until more has come`() {
        var policy = FreedMemory.Policy()
        policy.gaveBack(before: 100_000_000, after: 99_000_000)
        let more = 99_000_000 + Self.worthwhile
        // At last it was used meanwhile: what is free next is new.
        let looks = Self.looks(&policy, at: more - 1, more, 5_000_000, 5_000_000 + Self.worthwhile)
        #expect(looks == [false, true, false, true])
    }

    @Test func `While much is given back it is tried again, for others free more meanwhile`() {
        var policy = FreedMemory.Policy()
        policy.gaveBack(before: 100_000_000, after: 50_000_000)
        let afterMuch = Self.looks(&policy, at: 50_000_000)
        policy.gaveBack(before: 50_000_000, after: 80_000_000)
        let afterMore = Self.looks(&policy, at: 80_000_000)
        policy.gaveBack(before: 80_000_000, after: 80_000_000)
        let afterNothing = Self.looks(&policy, at: 80_000_000)
        #expect([afterMuch, afterMore, afterNothing] == [[true], [true], [false]])
    }

    #if canImport(Glibc)
        // What giving back does is seen from outside (Integration/limits): other tests share this process's memory.
        @Test func `The system tells how much memory is free`() throws {
            _ = try #require(FreedMemory.freeBytesInMemory())
        }
    #endif
}
