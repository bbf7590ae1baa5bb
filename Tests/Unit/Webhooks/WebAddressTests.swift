import Testing

@testable import Webhooks

@Suite struct WebAddressTests {
    @Test func `An address has its parts`() throws {
        let address = try WebAddress("HTTPS://user:pa%3Ass@Example.org:8443/a,b=c/d?e=f&g#h")
        #expect(address.isSecure)
        #expect(address.host == "example.org")
        #expect(address.port == 8443)
        #expect(address.target == "/a,b=c/d?e=f&g")
        #expect(address.path == "/a,b=c/d" && address.query == "?e=f&g" && address.hasFragment)
        #expect(address.authority == "example.org:8443")
        // "user:pa:ss" in base64.
        #expect(address.authorization == "Basic dXNlcjpwYTpzcw==")
    }

    @Test(arguments: [
        ("https://a", "a", 443, "/", "a"), ("http://a:80/", "a", 80, "/", "a"), ("http://a?b", "a", 80, "/?b", "a"),
        ("http://a.:8080#x", "a.", 8080, "/", "a.:8080"), ("https://[::1]:9/x", "::1", 9, "/x", "[::1]:9"),
        ("https://192.0.2.1", "192.0.2.1", 443, "/", "192.0.2.1"),
        ("http://my_host-1/", "my_host-1", 80, "/", "my_host-1"),
    ])
    func `Defaults are filled in`(text: String, host: String, port: Int, target: String, authority: String) throws {
        let address = try WebAddress(text)
        #expect(address.host == host && address.port == port && address.target == target)
        #expect(address.authority == authority && address.authorization == nil)
    }

    @Test(arguments: [
        ("", WebAddress.Problem.scheme), ("example.org", .scheme), ("ftp://a", .scheme), ("https:/a", .scheme),
        ("https://", .host), ("https:///a", .host), ("https://a..b", .host), ("https://999.1.1.1", .host),
        ("https://[::1", .host), ("https://[a]", .host), ("https://a%41", .host), ("https://user@", .host),
        ("https://a:", .port), ("https://a:0", .port), ("https://a:65536", .port), ("https://a:+1", .port),
        ("https://[::1]x", .port), ("https://a/ b", .character), ("https://a/\r\nX: y", .character),
        ("https://é", .character), ("https://%zz@a", .user), ("https://a%3Ab:c@d", .user), ("https://%4@a", .user),
    ])
    func `Other texts are refused`(text: String, problem: WebAddress.Problem) {
        #expect(throws: problem) { try WebAddress(text) }
    }

    @Test func `An address is never printed`() throws {
        let address = try WebAddress("https://user:secret@example.org/secret")
        var dumped = ""
        dump(address, to: &dumped)
        #expect(!"\(address) \(String(reflecting: address)) \(dumped)".contains("secret"))
    }

    @Test func `A webhook has a format and an address`() throws {
        #expect(try Webhook("slack=https://hooks.slack.com/services/T0/B0/x=y,z").name == "slack hooks.slack.com")
        #expect(try Webhook("JSON=http://localhost:8080").format == .json)
        let ntfy = try Webhook("ntfy=https://:tk_1@ntfy.example.org/base/alerts?up=1")
        #expect(ntfy.address.target == "/base/?up=1" && ntfy.topic == "alerts")
        #expect(ntfy.address.authorization != nil)
    }

    @Test(arguments: [
        ("https://discord.com/api/webhooks/1/t", "/api/webhooks/1/t?wait=true"),
        ("https://discord.com/api/webhooks/1/t?thread_id=2", "/api/webhooks/1/t?thread_id=2&wait=true"),
        ("https://discord.com/api/webhooks/1/t?wait=false&thread_id=2", "/api/webhooks/1/t?wait=false&thread_id=2"),
    ])
    func `Discord confirms that it saved a message`(text: String, target: String) throws {
        #expect(try Webhook("discord=\(text)").address.target == target)
    }

    @Test(arguments: [
        ("https://hooks.slack.com/services/T0/B0/secret", Webhook.Problem.format), ("slak=https://a", .format),
        ("", .format), ("slack", .format), ("slack=", .address(.scheme)), ("slack=https://a:x", .address(.port)),
        ("ntfy=https://ntfy.sh", .topic), ("ntfy=https://ntfy.sh/", .topic), ("ntfy=https://ntfy.sh/a.b", .topic),
        ("ntfy=https://ntfy.sh/\(String(repeating: "a", count: 65))", .topic),
    ])
    func `Other entries are refused`(text: String, problem: Webhook.Problem) {
        #expect(throws: problem) { try Webhook(text) }
    }
}
