import Foundations
import TLS

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A bearer token in clear, to be shown once.
struct AccessToken: Sendable {
    /// Base64url without padding (RFC 4648 §5): 43 characters of 256 random bits.
    let text: String

    /// A new token from the system's secure random numbers.
    static func random() -> AccessToken {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// A new token from `generator`, which must be fit for cryptography.
    static func random(using generator: inout some RandomNumberGenerator) -> AccessToken {
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let text = Data(bytes).base64EncodedString()
            .replacing("+", with: "-")
            .replacing("/", with: "_")
            .replacing("=", with: "")
        return AccessToken(text: text)
    }

    /// The line that lets the token in: `name:scopes:sha256-of-token`, the digest in lower-case hexadecimal.
    func line(
        name: TokenName, scopes: TokenScopes, digest: (String.UTF8View) -> [UInt8] = { SHA256Digest.hash($0) }
    ) -> String {
        "\(name.text):\(scopes.text):\(Hex.encode(digest(text.utf8)))"
    }
}
