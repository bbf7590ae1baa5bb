import COpenSSL
import Foundations

/// SHA-256 (FIPS 180-4), computed by OpenSSL.
package enum SHA256Digest {
    /// The length of a digest in bytes.
    package static let byteCount = 32

    /// Computes the SHA-256 of some bytes.
    ///
    /// - Parameter bytes: the message; any length.
    /// - Returns: the digest, 32 bytes.
    package static func hash(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        // The bytes are lent for the duration of the closures; OpenSSL does not keep them.
        let contiguous = bytes.withContiguousStorageIfAvailable { unsafe hash(UnsafeRawBufferPointer($0)) }
        return unsafe contiguous ?? Array(bytes).withUnsafeBytes { unsafe hash($0) }
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        // EVP_Digest reads `bytes` and writes exactly 32 bytes of output.
        let result = unsafe EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil)
        // Independent of the input: fails only if OpenSSL has no default provider, and then it cannot do TLS either.
        precondition(result == 1, "OpenSSL has no SHA-256")
        return digest
    }

    /// Formats a digest as `openssl x509 -fingerprint` does.
    ///
    /// - Parameter digest: the bytes of the digest.
    /// - Returns: pairs of uppercase hexadecimal digits, joined by colons.
    package static func fingerprint(_ digest: [UInt8]) -> String {
        Hex.encode(digest, letters: .uppercase, separator: ":")
    }
}
