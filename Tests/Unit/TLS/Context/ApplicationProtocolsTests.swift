import Testing

@testable import TLS

@Suite struct ApplicationProtocolsTests {
    @Test func `The server's order of preference decides`() throws {
        let protocols = try ApplicationProtocols(["b", "http/1.1"])
        let offered = Array("\u{8}http/1.1\u{1}b".utf8)
        let range = try #require(protocols.choose(from: offered))
        #expect(String(decoding: offered[range], as: UTF8.self) == "b")
        #expect(protocols.choose(from: Array("\u{2}h2".utf8)) == nil)
        #expect(protocols.choose(from: []) == nil)
        #expect(protocols.choose(from: [9, 98]) == nil)
    }

    @Test(arguments: ["", String(repeating: "x", count: 256)])
    func `A name that is not 1 to 255 bytes long is rejected`(name: String) {
        #expect(throws: TLSError.invalidApplicationProtocol(name)) { try ApplicationProtocols([name]) }
    }
}
