import Foundations
import TLS
import Testing

@Suite struct DigestTests {
    @Test func `SHA-256 matches the examples of FIPS 180-4`() {
        #expect(
            Hex.encode(SHA256Digest.hash("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Hex.encode(SHA256Digest.hash([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `SHA-256 of a sequence without contiguous storage equals that of its bytes`() {
        let lazy = (0..<100_000).lazy.map { UInt8(truncatingIfNeeded: $0) }
        #expect(SHA256Digest.hash(lazy) == SHA256Digest.hash(Array(lazy)))
    }

    @Test func `A fingerprint is formatted like openssl x509 -fingerprint`() {
        #expect(SHA256Digest.fingerprint([0x00, 0x9A, 0xFF]) == "00:9A:FF")
    }

    @Test func `SHA-1 in base64 matches the examples of RFC 3174 and RFC 6455`() {
        // RFC 3174 section 7.3, TEST1 and TEST2, in base64; then RFC 6455 section 1.3.
        #expect(SHA1Digest.base64(Array("abc".utf8)) == "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=")
        let twoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(SHA1Digest.base64(Array(twoBlocks.utf8)) == "hJg+RBw70m66rkqh+VEp5eVGcPE=")
        let key = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        #expect(SHA1Digest.base64(Array(key.utf8)) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }
}
