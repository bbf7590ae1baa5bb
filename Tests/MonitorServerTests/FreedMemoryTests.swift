import Testing

@testable import MonitorServer

@Suite struct FreedMemoryTests {
    private static let worthwhile = FreedMemory.Policy.worthwhile

    @Test func `Little that is free is left alone`() {
        let policy = FreedMemory.Policy()
        #expect(!policy.isWorthwhile(free: Self.worthwhile - 1))
        #expect(policy.isWorthwhile(free: Self.worthwhile))
    }

    @Test func `What could not be given back is not tried again until more has come`() {
        var policy = FreedMemory.Policy()
        policy.left(free: 100_000_000)
        #expect(!policy.isWorthwhile(free: 100_000_000 + Self.worthwhile - 1))
        #expect(policy.isWorthwhile(free: 100_000_000 + Self.worthwhile))
        // It was used meanwhile: what is free next is new.
        policy.seen(free: 5_000_000)
        policy.seen(free: 90_000_000)
        #expect(policy.isWorthwhile(free: 5_000_000 + Self.worthwhile))
    }

    #if canImport(Glibc)
        @Test func `Memory that was used and freed is seen, and given back`() async throws {
            // Kept blocks between the freed ones are what holds the C library back.
            var blocks = (0..<200_000).map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: 500) }
            let before = try #require(FreedMemory.freeBytesInMemory())
            blocks = blocks.enumerated().compactMap { $0.offset.isMultiple(of: 1000) ? $0.element : nil }
            let freed = try #require(FreedMemory.freeBytesInMemory())
            #expect(freed - before > 50_000_000)
            let service = Task { try await FreedMemory(interval: .milliseconds(1)).run() }
            defer { service.cancel() }
            while try #require(FreedMemory.freeBytesInMemory()) - before > 30_000_000 { await Task.yield() }
            #expect(blocks.count == 200)
        }
    #endif
}
