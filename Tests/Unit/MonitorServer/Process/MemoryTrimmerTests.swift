import Testing

@testable import MonitorServer

@Suite struct MemoryTrimmerTests {
    private static let threshold = MemoryTrimmer.Policy.threshold

    /// The decisions of a policy for a sequence of free bytes.
    private static func decisions(_ policy: inout MemoryTrimmer.Policy, at free: Int...) -> [Bool] {
        free.map { policy.shouldTrim(free: $0) }
    }

    @Test func `Below the threshold, nothing is trimmed`() {
        var policy = MemoryTrimmer.Policy()
        let decisions = Self.decisions(&policy, at: 0, Self.threshold - 1, Self.threshold)
        #expect(decisions == [false, false, true])
    }

    @Test func `Bytes that a trim could not return do not cause another trim`() {
        var policy = MemoryTrimmer.Policy()
        policy.trimmed(before: 100_000_000, after: 99_000_000)
        let more = 99_000_000 + Self.threshold
        // At 5 MB, most of the unreturnable bytes are in use again, so what is freed next counts.
        let decisions = Self.decisions(&policy, at: more - 1, more, 5_000_000, 5_000_000 + Self.threshold)
        #expect(decisions == [false, true, false, true])
    }

    @Test func `After a trim that returned much, the next check trims again`() {
        var policy = MemoryTrimmer.Policy()
        policy.trimmed(before: 100_000_000, after: 50_000_000)
        let afterMuch = Self.decisions(&policy, at: 50_000_000)
        policy.trimmed(before: 50_000_000, after: 80_000_000)
        let afterMore = Self.decisions(&policy, at: 80_000_000)
        policy.trimmed(before: 80_000_000, after: 80_000_000)
        let afterNothing = Self.decisions(&policy, at: 80_000_000)
        #expect([afterMuch, afterMore, afterNothing] == [[true], [true], [false]])
    }

    #if canImport(Glibc)
        // The effect of trimming is tested from outside (Tests/Limits): other tests share this process's memory.
        @Test func `The system reports how much memory is free`() throws {
            _ = try #require(MemoryTrimmer.freeBytes())
        }
    #endif
}
