import COpenSSL

/// SHA-256 (FIPS 180-4) through OpenSSL.
package enum SHA256Digest {
    /// The length of a digest in bytes.
    package static let byteCount = 32

    /// The digest of a sequence of bytes; always 32 bytes.
    package static func hash(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        // The bytes are lent until the inner call ends, which keeps nothing of them.
        let contiguous = bytes.withContiguousStorageIfAvailable { unsafe hash(UnsafeRawBufferPointer($0)) }
        return unsafe contiguous ?? Array(bytes).withUnsafeBytes { unsafe hash($0) }
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        // The input is only read during the call; the output has room for the 32 bytes of SHA-256.
        let result = unsafe EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil)
        // No input makes this fail: only a library without its default provider, which cannot do TLS either.
        precondition(result == 1, "OpenSSL has no SHA-256")
        return digest
    }

    /// A digest as `openssl x509 -fingerprint` prints it: upper-case pairs of hexadecimal digits, joined by colons.
    package static func fingerprint(_ digest: [UInt8]) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(digest.count * 3)
        for byte in digest {
            if !text.isEmpty { text.append(UInt8(ascii: ":")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
