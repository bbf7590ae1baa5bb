import NIOCore
import Testing

@testable import TLS

@Suite struct TicketKeysTests {
    @Test func `A key seals for one lifetime and opens for one more`() throws {
        let keys = try TicketKeys(lifetime: 100, clock: { 1000 })
        let first = try #require(keys.sealing(now: 1099))
        #expect(keys.opening(name: first.name, now: 1099)?.renew == false)
        let second = try #require(keys.sealing(now: 1100))
        #expect(second != first)
        #expect(keys.opening(name: first.name, now: 1199)?.key == first)
        #expect(keys.opening(name: first.name, now: 1199)?.renew == true)
        #expect(keys.opening(name: first.name, now: 1200) == nil)
        #expect(keys.opening(name: second.name, now: 1200)?.renew == true)
    }

    @Test func `Keys that slept too long open nothing`() throws {
        let keys = try TicketKeys(lifetime: 100, clock: { 1000 })
        let first = try #require(keys.sealing(now: 1000))
        #expect(keys.opening(name: first.name, now: 1200) == nil)
        _ = keys.sealing(now: 1300)
        #expect(keys.opening(name: first.name, now: 1300) == nil)
        #expect(keys.opening(name: [UInt8](repeating: 0, count: 16), now: 1300) == nil)
    }

    @Test func `The age of a key is measured by the clock that cannot be set`() {
        let before = NIODeadline.now()
        let clock = NIODeadline.uptimeNanoseconds(UInt64(TicketKeys.uptime + 1) * 1_000_000_000)
        #expect(before < clock && clock <= .now() + .seconds(1))
    }
}
