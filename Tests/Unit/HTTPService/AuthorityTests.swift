import Testing

@testable import HTTPService

@Suite struct AuthorityTests {
    @Test(
        arguments: [
            ("localhost", "localhost", nil), ("LocalHost:8000", "localhost", 8_000), ("a_b-c.d:80", "a_b-c.d", nil),
            ("[::1]", "[::1]", nil), ("[2001:DB8::1]:65535", "[2001:db8::1]", 65_535), ("a:", "a", nil), ("", "", nil),
            ("127.0.0.1:0", "127.0.0.1", 0),
        ] as [(String, String, Int?)])
    func `A valid authority has a name and a port`(text: String, name: String, port: Int?) throws {
        let authority = try #require(Authority(text, defaultPort: 80))
        #expect(authority.name == name)
        #expect(authority.port == port)
    }

    @Test(arguments: [
        ":80", "a:b", "a:-1", "a:+1", "a:65536", "a:000080", "a:8:8", "a b", "a/b", "a@b", "a,b", "a%41", "é", "[::1",
        "::1", "[]", "[a]", "[::1]a", "[127.0.0.1]", "[fe80::1%25eth0]", "[fe80::1%lo]", "a]", "\u{212A}",
    ])
    func `An invalid authority is nil`(text: String) {
        #expect(Authority(text, defaultPort: 80) == nil)
    }
}
