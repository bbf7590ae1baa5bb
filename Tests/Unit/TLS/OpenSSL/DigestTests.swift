import TLS
import Testing

@Suite struct SHA256DigestTests {
    @Test func `The digests of FIPS 180-4's examples come out`() {
        #expect(
            SHA256Digest.fingerprint(SHA256Digest.hash("abc".utf8)).replacing(":", with: "").lowercased()
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256Digest.fingerprint(SHA256Digest.hash([])).replacing(":", with: "").lowercased()
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `A sequence without storage hashes like its bytes`() {
        let lazy = (0..<100_000).lazy.map { UInt8(truncatingIfNeeded: $0) }
        #expect(SHA256Digest.hash(lazy) == SHA256Digest.hash(Array(lazy)))
    }
}
