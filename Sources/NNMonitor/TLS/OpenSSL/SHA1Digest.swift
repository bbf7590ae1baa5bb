import COpenSSL

/// SHA-1 (FIPS 180-4), computed by OpenSSL, for protocols that require it where it protects nothing, such as the
/// opening handshake of WebSocket (RFC 6455 section 4.2.2).
package enum SHA1Digest {
    /// The length of a digest in bytes.
    private static let byteCount = 20

    /// Computes the SHA-1 of some bytes and encodes it.
    ///
    /// - Parameter bytes: the message; any length.
    /// - Returns: the digest in base64 with padding (RFC 4648 section 4), 28 characters.
    package static func base64(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: byteCount)
        // EVP_Digest reads `bytes` and writes exactly 20 bytes of output.
        let result = unsafe EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha1(), nil)
        // Independent of the input: fails only if OpenSSL has no default provider, and then it cannot do TLS either.
        precondition(result == 1, "OpenSSL has no SHA-1")
        return Base64.encode(digest)
    }
}
