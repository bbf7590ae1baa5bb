import NIOCore
import Testing

@testable import TLS

@Suite struct TicketKeysTests {
    @Test func `A key encrypts for one lifetime and decrypts for one more`() throws {
        let keys = try TicketKeys(lifetime: 100, clock: { 1000 })
        let first = try #require(keys.encryptionKey(now: 1099))
        #expect(keys.decryptionKey(name: first.name, now: 1099)?.renew == false)
        let second = try #require(keys.encryptionKey(now: 1100))
        #expect(second != first)
        #expect(keys.decryptionKey(name: first.name, now: 1199)?.key == first)
        #expect(keys.decryptionKey(name: first.name, now: 1199)?.renew == true)
        #expect(keys.decryptionKey(name: first.name, now: 1200) == nil)
        #expect(keys.decryptionKey(name: second.name, now: 1200)?.renew == true)
    }

    @Test func `Keys older than two lifetimes decrypt nothing`() throws {
        let keys = try TicketKeys(lifetime: 100, clock: { 1000 })
        let first = try #require(keys.encryptionKey(now: 1000))
        #expect(keys.decryptionKey(name: first.name, now: 1200) == nil)
        _ = keys.encryptionKey(now: 1300)
        #expect(keys.decryptionKey(name: first.name, now: 1300) == nil)
        #expect(keys.decryptionKey(name: [UInt8](repeating: 0, count: 16), now: 1300) == nil)
    }

    @Test func `The age of a key is measured by the monotonic clock`() {
        let before = NIODeadline.now()
        let clock = NIODeadline.uptimeNanoseconds(UInt64(TicketKeys.uptime + 1) * 1_000_000_000)
        #expect(before < clock && clock <= .now() + .seconds(1))
    }
}
