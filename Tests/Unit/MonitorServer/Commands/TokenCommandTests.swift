import HTTPService
import MonitorAPI
import ArgumentParser
import Foundation
import Testing

@testable import MonitorServer

@Suite struct TokenCommandTests {
    /// Returns the same bits for every call.
    private struct FixedBits: RandomNumberGenerator {
        let bits: UInt64
        func next() -> UInt64 { bits }
    }

    @Test func `A token is 256 random bits in base64url without padding`() throws {
        let tokens = (0..<100).map { _ in AccessToken.random().text }
        #expect(Set(tokens).count == 100)
        for token in tokens {
            #expect(token.wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil)
            let padded = token.replacing("-", with: "+").replacing("_", with: "/") + "="
            #expect(try #require(Data(base64Encoded: padded)).count == 32)
            #expect(SettingParser.token.parse(token) == SecretText(revealed: token))
        }
        var ones = FixedBits(bits: .max)
        #expect(AccessToken.random(using: &ones).text == String(repeating: "_", count: 42) + "8")
    }

    @Test func `The line has the name, the scopes in order and the digest of the token`() throws {
        let name = try #require(TokenName(argument: "trainer-1"))
        let scopes = try #require(TokenScopes(argument: "read, ingest,read"))
        // The digest of "abc" is the example of FIPS 180-2, appendix B.1.
        #expect(
            AccessToken(text: "abc").line(name: name, scopes: scopes)
                == "trainer-1:ingest,read:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test(arguments: ["", "a b", "a:b", "ä", "a\n", String(repeating: "a", count: 129)])
    func `Names that the tokens file does not allow are refused`(name: String) {
        #expect(throws: (any Error).self) { try TokenCommand.parse(["--name", name, "--scopes", "read"]) }
    }

    @Test(arguments: ["a", "A.b_c-9", String(repeating: "a", count: 128)])
    func `Names of letters, digits and _ . - are accepted`(name: String) throws {
        #expect(try TokenCommand.parse(["--name", name, "--scopes", "read"]).name.text == name)
    }

    @Test(arguments: ["", "all", "read,", "read;ingest", "READ", ",read"])
    func `Unknown scopes are refused`(scopes: String) {
        #expect(throws: (any Error).self) { try TokenCommand.parse(["--name", "a", "--scopes", scopes]) }
    }

    @Test func `The command requires a name and scopes, and is a subcommand of the server's`() throws {
        #expect(throws: (any Error).self) { try ServeCommand.parseAsRoot(["token"]) }
        let command = try ServeCommand.parseAsRoot(["token", "--name", "a", "--scopes", "admin,read"])
        #expect(try #require(command as? TokenCommand).scopes.scopes == [.read, .admin])
        #expect(try ServeCommand.parseAsRoot([]) is ServeCommand)
    }
}
